{{- define "feedrank.name" -}}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{- end }}

{{- define "feedrank.labels" -}}
app.kubernetes.io/name: feedrank
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- /* What never changes of a deployment's pods. Wants: root, name. */}}
{{- define "feedrank.selector" -}}
app.kubernetes.io/name: feedrank
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{- define "feedrank.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "feedrank.account" -}}
{{ .Values.serviceAccount.name | default (ternary (include "feedrank.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- /* The file of settings. What the chart must know of them goes over what the user says. */}}
{{- define "feedrank.config" -}}
{{- $own := dict "http" (dict "addr" ":8080" "admin_addr" ":8081" "drain_delay" (printf "%vs" .root.Values.drainDelay)) "lifecycle" (dict "stop_timeout" (printf "%vs" .root.Values.stopTimeout)) -}}
{{- mergeOverwrite (deepCopy .root.Values.config) (deepCopy (.over | default dict)) $own | toYaml -}}
{{- end }}

{{- /* Settings from the Secret. Wants: a map of variables to keys, and root. */}}
{{- define "feedrank.env" -}}
{{- range $variable, $key := .env }}
- name: {{ $variable }}
  valueFrom: {secretKeyRef: {name: {{ $.root.Values.secret.name }}, key: {{ $key }}}}
{{- end }}
{{- end }}

{{- define "feedrank.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "feedrank.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}
