{{- /* The proxy as a gateway. */ -}}
{{- $_ = set $context "role" "gateway" -}}
{{- $_ = set $context "interceptionMode" (toString .ProxyConfig.InterceptionMode) -}}
{{- /* By default it may listen on ports below 1024 without being root. */ -}}
{{- $security := dict "sysctls" (list (dict "name" "net.ipv4.ip_unprivileged_port_start" "value" "0")) -}}
{{- with dig "gateways" "securityContext" (dict) $values -}}{{- $security = . -}}{{- end -}}
{{- with dig "gateways" "seccompProfile" (dict) $values -}}{{- $_ = set $security "seccompProfile" . -}}{{- end -}}

metadata:
  labels:
    {{- template "canonical-labels" $context }}
  annotations:
    {{- template "annotations" $context }}
spec:
      securityContext: {{ structToJSON $security }}
      containers:
      {{- template "proxy" $context }}
        ports:
        - name: http-envoy-prom
          containerPort: 15090
          protocol: TCP
        {{- template "args" $context }}
        {{- with dig "lifecycle" (dict) $proxy }}
        lifecycle: {{ structToJSON . }}
        {{- end }}
        securityContext:
          runAsUser: {{ .ProxyUID }}
          runAsGroup: {{ .ProxyGID }}
        env:
        {{- template "environment" $context }}
        readinessProbe:
          {{- template "ready" (list (dig "readinessInitialDelaySeconds" 0 $proxy | int) (dig "readinessPeriodSeconds" 15 $proxy | int) (dig "readinessFailureThreshold" 4 $proxy | int)) }}
        {{- template "mounts" $context }}
      {{- template "volumes" $context }}
      {{- template "pull-secrets" $context }}
