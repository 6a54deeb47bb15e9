{{- /* The agent without Envoy, beside applications that speak xDS by gRPC themselves. */ -}}
{{- $_ = set $context "role" "grpc-agent" -}}
{{- $_ = set $context "custom" true -}}
{{- $_ = set $context "localhost" (eq .InboundTrafficPolicyMode "localhost") -}}

metadata:
  labels:
    {{- template "canonical-labels" $context }}
  annotations:
    {{- template "annotations" $context }}
    sidecar.istio.io/rewriteAppHTTPProbers: "false"
spec:
      containers:
      {{- range $applications }}
      - name: {{ quote .Name }}
        env:
        {{- template "variable" (list "GRPC_XDS_EXPERIMENTAL_SECURITY_SUPPORT" "true") }}
        {{- template "variable" (list "GRPC_XDS_BOOTSTRAP" "/etc/istio/proxy/grpc-bootstrap.json") }}
        volumeMounts:
        {{- template "mount" (list "istio-data" "/var/lib/istio/data") }}
        {{- template "mount" (list "istio-xds" "/etc/istio/proxy") }}
      {{- end }}
      {{- template "proxy" $context }}
        ports:
        - name: mesh-metrics
          containerPort: 15020
          protocol: TCP
        {{- template "args" $context }}
        {{- with dig "lifecycle" (dict) $proxy }}
        lifecycle: {{ structToJSON . }}
        {{- else }}
        {{- if $holds }}
        lifecycle:
          postStart:
            exec:
              command: [pilot-agent, wait]
        {{- end }}
        {{- end }}
        env:
        {{- template "variable" (list "ISTIO_META_GENERATOR" "grpc") }}
        {{- template "variable" (list "OUTPUT_CERTS" "/var/lib/istio/data") }}
        {{- template "environment" $context }}
        {{- template "variable" (list "ISTIO_META_DNS_CAPTURE" "false") }}
        {{- template "variable" (list "DISABLE_ENVOY" "true") }}
        {{- if ne $statusPort "0" }}
        {{- template "readiness" $context }}
        {{- end }}
        {{- template "resources" $context }}
        {{- template "mounts" $context }}
      {{- template "volumes" $context }}
      {{- template "pull-secrets" $context }}
