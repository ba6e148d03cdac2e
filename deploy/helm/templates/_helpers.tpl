{{- define "targon.name" -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "targon.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{- end -}}
{{- end -}}
{{- end -}}

{{/* Labels of one part; the argument is a dict of root and part. */}}
{{- define "targon.selector" -}}
app.kubernetes.io/name: targon
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "targon.labels" -}}
{{ include "targon.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{- define "targon.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "targon.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* The variable of a setting: round.max-tokens becomes TARGON_ROUND_MAX_TOKENS. */}}
{{- define "targon.variable" -}}
TARGON_{{ . | replace "." "_" | replace "-" "_" | upper }}
{{- end -}}

{{/* A value as a variable has it: lists joined, whole numbers without an exponent. */}}
{{- define "targon.value" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if kindIs "map" . }}{{ toJson . }}
{{- else if and (kindIs "float64" .) (eq (floor .) .) }}{{ printf "%.0f" . }}
{{- else }}{{ toString . }}{{ end -}}
{{- end -}}

{{- define "targon.settings" -}}
{{- range $name, $value := . }}
- { name: {{ include "targon.variable" $name }}, value: {{ include "targon.value" $value | quote }} }
{{- end }}
{{- end -}}

{{/* Settings that all roles share. */}}
{{- define "targon.environment" -}}
- { name: TARGON_SUBTENSOR_NETWORK, value: {{ .Values.network | quote }} }
{{- with .Values.chainEndpoints }}
- { name: TARGON_SUBTENSOR_CHAIN_ENDPOINT, value: {{ join "," . | quote }} }
{{- end }}
- { name: TARGON_WALLET_NAME, value: {{ .Values.wallet.name | quote }} }
- { name: TARGON_WALLET_HOTKEY, value: {{ .Values.wallet.hotkey | quote }} }
{{- if .Values.wallet.secret.passwordKey }}
- { name: TARGON_WALLET_PASSWORD_FILE, value: /wallets/password }
{{- end }}
- { name: TARGON_METRICS_LISTEN, value: "0.0.0.0:{{ .Values.healthPort }}" }
{{- end -}}

{{/*
The files of a secret are links that a group can read, and the neuron takes keys only from files that nobody else can read: they
are copied into memory first.
*/}}
{{- define "targon.keys" -}}
- name: keys
  image: {{ include "targon.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [sh, -ec]
  args:
    - |
      umask 077
      mkdir -p "/wallets/$TARGON_WALLET_NAME/hotkeys"
      install -m 600 /secret/hotkey "/wallets/$TARGON_WALLET_NAME/hotkeys/$TARGON_WALLET_HOTKEY"
      if [ -e /secret/password ]; then install -m 600 /secret/password /wallets/password; fi
      if [ -e /secret/retain-key ]; then install -m 600 /secret/retain-key /wallets/retain-key; fi
  env:
    - { name: TARGON_WALLET_NAME, value: {{ .Values.wallet.name | quote }} }
    - { name: TARGON_WALLET_HOTKEY, value: {{ .Values.wallet.hotkey | quote }} }
  securityContext: {{- include "targon.containerSecurity" . | nindent 4 }}
  resources:
    requests: { cpu: 10m, memory: 16Mi }
    limits: { cpu: 100m, memory: 64Mi }
  volumeMounts:
    - { name: secret, mountPath: /secret, readOnly: true }
    - { name: wallets, mountPath: /wallets }
{{- end -}}

{{- define "targon.mounts" -}}
- { name: wallets, mountPath: /wallets, readOnly: true }
- { name: state, mountPath: /state }
- { name: tmp, mountPath: /tmp }
{{- end -}}

{{- define "targon.volumes" -}}
- name: secret
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ required "wallet.secret.name is the secret with the hotkey file." .Values.wallet.secret.name }}
          items:
            - { key: {{ .Values.wallet.secret.key | quote }}, path: hotkey }
            {{- with .Values.wallet.secret.passwordKey }}
            - { key: {{ . | quote }}, path: password }
            {{- end }}
      {{- if and .Values.hub.enabled .Values.hub.retainKeySecret.name }}
      - secret:
          name: {{ .Values.hub.retainKeySecret.name | quote }}
          items:
            - { key: {{ .Values.hub.retainKeySecret.key | quote }}, path: retain-key }
      {{- end }}
- name: wallets
  emptyDir: { medium: Memory, sizeLimit: 1Mi }
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
{{- end -}}

{{/* Ready decides about traffic; alive about restarts. A start may wait five minutes for the chain. */}}
{{- define "targon.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: health }
  periodSeconds: 5
  failureThreshold: 180
livenessProbe:
  httpGet: { path: /livez, port: health }
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: { path: /readyz, port: health }
  periodSeconds: 5
  timeoutSeconds: 5
{{- end -}}

{{/* Fields of a pod that all roles share; the argument is a dict of root and role (the values of the role). */}}
{{- define "targon.pod" -}}
serviceAccountName: {{ include "targon.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ add .role.drainSeconds 25 }}
securityContext: {{- include "targon.podSecurity" .root | nindent 2 }}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .role.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
