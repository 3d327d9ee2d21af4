{{/* What every pod says first: who it runs as, and that nobody but it may do anything. */}}
{{- define "huzhu.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false # a service called huzhu-gateway would set HUZHU_GATEWAY_PORT
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "huzhu.container" -}}
image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* The settings of a container: dict with root, kafkaUser (may be missing), settings (may be missing). */}}
{{- define "huzhu.env" -}}
{{- range $name, $value := merge (dict) (.settings | default dict) .root.Values.settings }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
- {name: HUZHU_DATABASE_URL_FILE, value: /run/secrets/huzhu/database_url}
{{- if and .kafkaUser .root.Values.kafka.users }}
- {name: HUZHU_KAFKA_SASL_USERNAME, value: {{ .kafkaUser | quote }}}
- {name: HUZHU_KAFKA_SASL_PASSWORD_FILE, value: /run/secrets/huzhu/kafka_password}
{{- end }}
{{- if .root.Values.kafka.caConfigMap }}
- {name: HUZHU_KAFKA_CA, value: /etc/huzhu/kafka/ca.pem}
{{- end }}
{{- end }}

{{/* Where a container finds its secret, named by `volume`, and what else all have. */}}
{{- define "huzhu.mounts" -}}
- {name: {{ .volume }}, mountPath: /run/secrets/huzhu, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- if .root.Values.kafka.caConfigMap }}
- {name: kafka-ca, mountPath: /etc/huzhu/kafka, readOnly: true}
{{- end }}
{{- end }}

{{- define "huzhu.volumes" -}}
- {name: tmp, emptyDir: {}}
{{- if .Values.kafka.caConfigMap }}
- {name: kafka-ca, configMap: {name: {{ .Values.kafka.caConfigMap }}}}
{{- end }}
{{- end }}

{{- define "huzhu.labels" -}}
app.kubernetes.io/name: huzhu
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
