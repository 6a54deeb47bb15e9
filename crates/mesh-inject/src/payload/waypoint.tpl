{{- /* The proxy of a waypoint, which traffic within the mesh goes through. */ -}}
{{- $_ = set $context "role" "waypoint" -}}
{{- $waypoint := dig "waypoint" (dict) $global -}}
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
      terminationGracePeriodSeconds: 2
      {{- range $field := list "affinity" "nodeSelector" "tolerations" "topologySpreadConstraints" }}
      {{- with get $waypoint $field }}
      {{ $field }}: {{ structToJSON . }}
      {{- end }}
      {{- end }}
      containers:
      {{- template "deployed-proxy" (dict "context" $context) }}
        {{- with get $waypoint "resources" }}
        resources: {{ structToJSON . }}
        {{- else }}
        {{- template "resources" $context }}
        {{- end }}
      {{- template "volumes" $context }}
      {{- template "pull-secrets" $context }}
---
{{- template "service-and-scaling" $context }}
