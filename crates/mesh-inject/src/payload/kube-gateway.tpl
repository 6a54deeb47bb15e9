{{- /* The proxy of a Gateway that traffic comes in by. */ -}}
{{- $_ = set $context "role" "gateway" -}}
{{- template "service-account" $context }}
apiVersion: apps/v1
kind: Deployment
{{- template "metadata" (dict "context" $context "name" .DeploymentName) }}
spec:
  selector:
    matchLabels: {{ structToJSON $selector }}
  template:
    {{- template "pod-metadata" $context }}
    spec:
      serviceAccountName: {{ quote .ServiceAccount }}
      {{- /* It may listen on ports below 1024 without being root. */}}
      {{- $security := dict "sysctls" (list (dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0")) }}
      {{- with dig "gateways" "securityContext" (dict) $values }}{{ $security = . }}{{ end }}
      {{- with dig "gateways" "seccompProfile" (dict) $values }}{{ $_ = set $security "seccompProfile" . }}{{ end }}
      securityContext: {{ structToJSON $security }}
      containers:
      {{- template "deployed-proxy" (dict "context" $context) }}
        {{- template "resources" $context }}
      {{- template "volumes" $context }}
      {{- template "pull-secrets" $context }}
---
{{- template "service-and-scaling" $context }}
