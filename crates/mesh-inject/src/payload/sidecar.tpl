{{- /* The proxy beside an application. */ -}}
{{- $_ = set $context "role" "sidecar" -}}
{{- $_ = set $context "custom" true -}}
{{- $_ = set $context "localhost" (eq .InboundTrafficPolicyMode "localhost") -}}
{{- $mode := annotation .ObjectMeta "sidecar.istio.io/interceptionMode" .ProxyConfig.InterceptionMode -}}
{{- $_ = set $context "interceptionMode" (coalesce $mode (toString .ProxyConfig.InterceptionMode)) -}}
{{- $captures := ne $mode "NONE" -}}
{{- $native := .NativeSidecars -}}
{{- with index $annotations "sidecar.istio.io/nativeSidecar" -}}{{- $native = ne . "false" -}}{{- end -}}
{{- $privileged := eq "true" (dig "privileged" false $proxy | toString) -}}
{{- $seccomp := dig "seccompProfile" (dict) $proxy -}}
{{- $cni := eq "true" (dig "pilot" "cni" "enabled" false $values | toString) -}}

{{- /* What is captured, and what is not. */ -}}
{{- $includeRanges := annotation .ObjectMeta "traffic.sidecar.istio.io/includeOutboundIPRanges" (dig "includeIPRanges" "*" $proxy) -}}
{{- $excludeRanges := annotation .ObjectMeta "traffic.sidecar.istio.io/excludeOutboundIPRanges" (dig "excludeIPRanges" "" $proxy) -}}
{{- $includeInbound := annotation .ObjectMeta "traffic.sidecar.istio.io/includeInboundPorts" (dig "includeInboundPorts" "*" $proxy) -}}
{{- $excludeInbound := excludeInboundPort $statusPort (annotation .ObjectMeta "traffic.sidecar.istio.io/excludeInboundPorts" (dig "excludeInboundPorts" "" $proxy)) -}}
{{- $includeOutbound := dig "includeOutboundPorts" "" $proxy -}}
{{- $excludeOutbound := dig "excludeOutboundPorts" "" $proxy -}}
{{- $limitsOutbound := or (isset $annotations "traffic.sidecar.istio.io/includeOutboundPorts") $includeOutbound -}}
{{- $sparesOutbound := or (isset $annotations "traffic.sidecar.istio.io/excludeOutboundPorts") $excludeOutbound -}}
{{- $includeOutbound = annotation .ObjectMeta "traffic.sidecar.istio.io/includeOutboundPorts" $includeOutbound -}}
{{- $excludeOutbound = annotation .ObjectMeta "traffic.sidecar.istio.io/excludeOutboundPorts" $excludeOutbound -}}
{{- $kubevirt := "traffic.sidecar.istio.io/kubevirtInterfaces" -}}
{{- $rerouted := "istio.io/reroute-virtual-interfaces" -}}
{{- $spared := "traffic.sidecar.istio.io/excludeInterfaces" -}}

metadata:
  labels:
    security.istio.io/tlsMode: {{ index .ObjectMeta.Labels "security.istio.io/tlsMode" | default "istio" | quote }}
    {{- if eq "true" (index .ProxyConfig.ProxyMetadata "ISTIO_META_ENABLE_HBONE") }}
    networking.istio.io/tunnel: {{ index .ObjectMeta.Labels "networking.istio.io/tunnel" | default "http" | quote }}
    {{- end }}
    {{- template "canonical-labels" $context }}
  annotations:
    {{- template "annotations" $context }}
    {{- if $cni }}
    {{- if eq "multus" (dig "pilot" "cni" "provider" "default" $values) }}
    k8s.v1.cni.cncf.io/networks: {{ appendMultusNetwork (index $annotations "k8s.v1.cni.cncf.io/networks") "default/istio-cni" | quote }}
    {{- end }}
    sidecar.istio.io/interceptionMode: {{ quote $mode }}
    {{- with $includeRanges }}
    traffic.sidecar.istio.io/includeOutboundIPRanges: {{ quote . }}
    {{- end }}
    {{- with $excludeRanges }}
    traffic.sidecar.istio.io/excludeOutboundIPRanges: {{ quote . }}
    {{- end }}
    {{- with $includeInbound }}
    traffic.sidecar.istio.io/includeInboundPorts: {{ quote . }}
    {{- end }}
    traffic.sidecar.istio.io/excludeInboundPorts: {{ quote $excludeInbound }}
    {{- if $limitsOutbound }}
    traffic.sidecar.istio.io/includeOutboundPorts: {{ quote $includeOutbound }}
    {{- end }}
    {{- if $sparesOutbound }}
    traffic.sidecar.istio.io/excludeOutboundPorts: {{ quote $excludeOutbound }}
    {{- end }}
    {{- range $name := list $kubevirt $rerouted $spared }}
    {{- with index $annotations $name }}
    {{ $name }}: {{ quote . }}
    {{- end }}
    {{- end }}
    {{- end }}
spec:
      {{- if or $captures $native }}
      initContainers:
      {{- end }}
      {{- if $captures }}
      - name: {{ ternary "istio-validation" "istio-init" $cni }}
        image: {{ template "image" (dict "context" $context "name" (dig "proxy_init" "image" "proxyv2" $global) "variant" "") }}
        {{- template "pull-policy" $context }}
        args:
        - istio-iptables
        - -p
        - {{ .MeshConfig.ProxyListenPort | quote }}
        - -z
        - {{ .MeshConfig.ProxyInboundListenPort | quote }}
        - -u
        - {{ .ProxyUID | quote }}
        - -m
        - {{ quote $mode }}
        - -i
        - {{ quote $includeRanges }}
        - -x
        - {{ quote $excludeRanges }}
        - -b
        - {{ quote $includeInbound }}
        - -d
        - {{ list "15090,15021" $excludeInbound | compact | join "," | quote }}
        {{- if $limitsOutbound }}
        - -q
        - {{ quote $includeOutbound }}
        {{- end }}
        {{- if $sparesOutbound }}
        - -o
        - {{ quote $excludeOutbound }}
        {{- end }}
        {{- if or (isset $annotations $rerouted) (isset $annotations $kubevirt) }}
        - -k
        - {{ annotation .ObjectMeta $rerouted (index $annotations $kubevirt) | quote }}
        {{- end }}
        {{- if isset $annotations $spared }}
        - -c
        - {{ index $annotations $spared | quote }}
        {{- end }}
        - {{ printf "--log_output_level=%s" (annotation .ObjectMeta "sidecar.istio.io/agentLogLevel" (dig "logging" "level" "default:info" $global)) | quote }}
        {{- if eq "true" (dig "logAsJson" false $global | toString) }}
        - --log_as_json
        {{- end }}
        {{- if $cni }}
        - --run-validation
        - --skip-rule-apply
        {{- else if eq "true" (dig "proxy_init" "forceApplyIptables" false $global | toString) }}
        - --force-apply
        {{- end }}
        {{- if eq "true" (dig "nativeNftables" false $global | toString) }}
        - --native-nftables
        {{- end }}
        {{- with .ProxyConfig.ProxyMetadata }}
        env:
        {{- template "proxy-metadata" $context }}
        {{- end }}
        {{- template "resources" $context }}
        securityContext:
          allowPrivilegeEscalation: {{ $privileged }}
          privileged: {{ $privileged }}
          capabilities:
            {{- if not $cni }}
            add: [NET_ADMIN, NET_RAW]
            {{- end }}
            drop: [ALL]
          readOnlyRootFilesystem: {{ $cni }}
          runAsNonRoot: {{ $cni }}
          runAsUser: {{ ternary .ProxyUID 0 $cni }}
          runAsGroup: {{ ternary .ProxyGID 0 $cni }}
          {{- with $seccomp }}
          seccompProfile: {{ structToJSON . }}
          {{- end }}
      {{- end }}
      {{- if not $native }}
      containers:
      {{- end }}
      {{- template "proxy" $context }}
        ports:
        - name: http-envoy-prom
          containerPort: 15090
          protocol: TCP
        {{- template "args" $context }}
        {{- with dig "outlierLogPath" "" $proxy }}
        - {{ printf "--outlierLogPath=%s" . | quote }}
        {{- end }}
        {{- if $native }}
        restartPolicy: Always
        {{- end }}
        {{- with dig "lifecycle" (dict) $proxy }}
        lifecycle: {{ structToJSON . }}
        {{- else }}
        {{- if $native }}
        lifecycle:
          preStop:
            exec:
              command: [pilot-agent, request, {{ printf "--debug-port=%s" $statusPort | quote }}, POST, drain]
        {{- else if $holds }}
        lifecycle:
          postStart:
            exec:
              command: [pilot-agent, wait]
        {{- end }}
        {{- end }}
        env:
        {{- template "environment" $context }}
        {{- if ne $statusPort "0" }}
        {{- if eq "true" (dig "startupProbe" "enabled" true $proxy | toString) }}
        startupProbe:
          {{- template "ready" (list 0 1 (dig "startupProbe" "failureThreshold" 600 $proxy | int)) }}
        {{- end }}
        {{- template "readiness" $context }}
        {{- end }}
        {{- $traces := eq "true" (index .ProxyConfig.ProxyMetadata "IPTABLES_TRACE_LOGGING") }}
        {{- $added := list }}
        {{- if or $traces (eq $mode "TPROXY") }}{{ $added = append $added "NET_ADMIN" }}{{ end }}
        {{- if and (not $traces) (eq "true" (index $annotations "sidecar.istio.io/capNetBindService")) }}{{ $added = append $added "NET_BIND_SERVICE" }}{{ end }}
        securityContext:
          allowPrivilegeEscalation: {{ or $traces $privileged }}
          privileged: {{ or $traces $privileged }}
          capabilities:
            {{- with $added }}
            add: [{{ join ", " . }}]
            {{- end }}
            drop: [ALL]
          readOnlyRootFilesystem: true
          runAsNonRoot: {{ empty $added }}
          runAsUser: {{ ternary .ProxyUID 0 (empty $added) }}
          runAsGroup: {{ .ProxyGID }}
          {{- with $seccomp }}
          seccompProfile: {{ structToJSON . }}
          {{- end }}
        {{- template "resources" $context }}
        {{- template "mounts" $context }}
      {{- template "volumes" $context }}
      {{- template "pull-secrets" $context }}
