#!/bin/sh
# Makes the key of personal data and the key that signs the audit log, once. The console gets the public half of the latter.
# Keep copies of both volumes elsewhere: without the first the directory of persons is lost.
set -eu
test -e console/console.keys || huzhu people newkey console/console.keys
test -e signer/audit.key || huzhu audit keygen signer/audit.key --name huzhu-compose
cp signer/audit.key.pub console/audit.key.pub
