# Huzhu with a compiled core, for every process: `docker build -t huzhu .` (docs/operations.md, "In containers").
# Everything that pip installs is pinned with its hash in requirements/.

FROM python:3.11-bookworm AS build
# Which of requirements/*.txt: image has metrics, traces and files; metrics alone is a third of its size.
ARG REQUIREMENTS=image
WORKDIR /source
COPY requirements requirements
RUN python -m venv /opt/huzhu \
    && /opt/huzhu/bin/pip install --no-cache-dir --require-hashes -r "requirements/${REQUIREMENTS}.txt"
RUN python -m venv /tools \
    && /tools/bin/pip install --no-cache-dir --require-hashes -r requirements/dev.txt
COPY . .
RUN HUZHU_COMPILE=1 /tools/bin/python -m hatchling build -t wheel -d /dist \
    && /opt/huzhu/bin/pip install --no-cache-dir --no-deps /dist/huzhu-*.whl

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 huzhu \
    && useradd --uid 10001 --gid huzhu --no-create-home --shell /usr/sbin/nologin huzhu \
    && install -d -o huzhu -g huzhu -m 0700 /var/lib/huzhu /var/lib/huzhu/console /var/lib/huzhu/signer \
    && install -d -o huzhu -g huzhu /var/lib/huzhu/grants
COPY --from=build /opt/huzhu /opt/huzhu
ENV PATH=/opt/huzhu/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# A number, so that Kubernetes can see that it is not root. Only /tmp has to be writable.
USER 10001:10001
WORKDIR /var/lib/huzhu
ENTRYPOINT ["huzhu"]
CMD ["--help"]
