{{- /* What all templates share: values without nulls, and parts of the proxy's container and pod. They are indented as in a Deployment, so that all can use them. */ -}}

{{- /* Copies a map without its nulls: from, to. */ -}}
{{- define "present" -}}
{{- $to := .to -}}
{{- range $key, $value := .from -}}
{{- if kindIs "map" $value -}}
{{- $inner := dict -}}
{{- template "present" (dict "from" $value "to" $inner) -}}
{{- $_ := set $to $key $inner -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $to $key $value -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- $values := dict -}}
{{- template "present" (dict "from" .Values "to" $values) -}}
{{- $global := dig "global" (dict) $values -}}
{{- $proxy := dig "proxy" (dict) $global -}}
{{- $annotations := .ObjectMeta.Annotations -}}

{{- /* What the parts below go by. Templates add to it. */ -}}
{{- $context := dict "data" . "values" $values "global" $global "proxy" $proxy "custom" false "localhost" false -}}

{{- /* A reference to an image: context, name, variant. Annotations of the pod come first. */ -}}
{{- define "image" -}}
{{- $annotations := .context.data.ObjectMeta.Annotations -}}
{{- $global := .context.global -}}
{{- $name := coalesce (index $annotations "sidecar.istio.io/proxyImage") .name -}}
{{- if contains "/" $name -}}
{{- quote $name -}}
{{- else -}}
{{- $tag := dig "tag" "" $global | toString -}}
{{- with coalesce (index $annotations "sidecar.istio.io/proxyImageType") .variant (dig "variant" "" $global) -}}
{{- $tag = regexReplaceAll "-(distroless|debug)$" $tag "" -}}
{{- if ne . "default" -}}{{- $tag = printf "%s-%s" $tag . -}}{{- end -}}
{{- end -}}
{{- list (printf "%s/%s" (dig "hub" "" $global) $name) $tag | compact | join ":" | quote -}}
{{- end -}}
{{- end -}}

{{- /* name and image of the proxy's container. */ -}}
{{- define "proxy" }}
      - name: istio-proxy
        image: {{ template "image" (dict "context" . "name" (dig "image" "proxyv2" .proxy) "variant" .data.ProxyConfig.GetImage.GetImageType) }}
        {{- template "pull-policy" . }}
{{- end -}}

{{- define "pull-policy" -}}
{{- with dig "imagePullPolicy" "" .global }}
        imagePullPolicy: {{ quote . }}
{{- end -}}
{{- end -}}

{{- define "pull-secrets" -}}
{{- with dig "imagePullSecrets" (list) .global }}
      imagePullSecrets:
      {{- range . }}
      - name: {{ if kindIs "map" . }}{{ quote .name }}{{ else }}{{ quote . }}{{ end }}
      {{- end }}
{{- end -}}
{{- end -}}

{{- /* The names by which telemetry knows the workload. The sidecar's are cut to what a label may be. */ -}}
{{- define "canonical-labels" -}}
{{- $labels := .data.ObjectMeta.Labels -}}
{{- $name := coalesce (index $labels "service.istio.io/canonical-name") (index $labels "app.kubernetes.io/name") (index $labels "app") .data.DeploymentMeta.Name | default "" -}}
{{- if eq .role "sidecar" -}}{{- $name = regexReplaceAll "[-_.]+$" (trunc 63 $name) "" -}}{{- end }}
    service.istio.io/canonical-name: {{ quote $name }}
    service.istio.io/canonical-revision: {{ coalesce (index $labels "service.istio.io/canonical-revision") (index $labels "app.kubernetes.io/version") (index $labels "version") "latest" | quote }}
{{- end -}}

{{- /* The revision, and the container that kubectl takes if none is named. */ -}}
{{- define "annotations" }}
    istio.io/rev: {{ .data.Revision | default "default" | quote }}
{{- $meta := .data.ObjectMeta -}}
{{- with .applications }}
{{- $first := (first .).Name -}}
{{- range list "kubectl.kubernetes.io/default-logs-container" "kubectl.kubernetes.io/default-container" }}
{{- if not (isset $meta.Annotations .) }}
    {{ . }}: {{ quote $first }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The agent's arguments: role is how the proxy runs. */ -}}
{{- define "args" }}
        args:
        - proxy
        - {{ get (dict "gateway" "router" "waypoint" "waypoint") .role | default "sidecar" }}
        - --domain
        - {{ printf "$(POD_NAMESPACE).svc.%s" (dig "clusterDomain" "cluster.local" .proxy) | quote }}
        - {{ printf "--proxyLogLevel=%s" (annotation .data.ObjectMeta "sidecar.istio.io/logLevel" (dig "logLevel" "warning" .proxy)) | quote }}
        - {{ printf "--proxyComponentLogLevel=%s" (annotation .data.ObjectMeta "sidecar.istio.io/componentLogLevel" (dig "componentLogLevel" "misc:error" .proxy)) | quote }}
        - {{ printf "--log_output_level=%s" (annotation .data.ObjectMeta "sidecar.istio.io/agentLogLevel" (dig "logging" "level" "default:info" .global)) | quote }}
        {{- with dig "sts" "servicePort" 0 .global | int }}
        - --stsPort={{ . }}
        {{- end }}
        {{- if eq "true" (dig "logAsJson" false .global | toString) }}
        - --log_as_json
        {{- end }}
{{- end -}}

{{- define "field" }}
        - name: {{ index . 0 }}
          valueFrom:
            fieldRef:
              fieldPath: {{ index . 1 }}
{{- end -}}

{{- define "limit" }}
        - name: {{ index . 0 }}
          valueFrom:
            resourceFieldRef:
              resource: {{ index . 1 }}
              divisor: "1"
{{- end -}}

{{- define "variable" }}
        - name: {{ index . 0 | quote }}
          value: {{ index . 1 | quote }}
{{- end -}}

{{- define "proxy-metadata" -}}
{{- range $name, $value := .data.ProxyConfig.ProxyMetadata -}}
{{- template "variable" (list $name $value) -}}
{{- end -}}
{{- end -}}

{{- /* The environment of the proxy, but for what only one of the templates has. */ -}}
{{- define "environment" -}}
{{- $data := .data -}}
{{- $meta := $data.ObjectMeta -}}
{{- $mesh := $data.MeshConfig -}}
{{- if .localhost -}}
{{- template "variable" (list "REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION" "true") -}}
{{- end -}}
{{- template "variable" (list "PILOT_CERT_PROVIDER" (dig "pilotCertProvider" "istiod" .global)) -}}
{{- $istiod := list "istiod" (dig "revision" "" .values) | compact | join "-" -}}
{{- $istiod = printf "%s.%s.svc:15012" $istiod (dig "istioNamespace" "istio-system" .global) -}}
{{- template "variable" (list "CA_ADDR" (coalesce (dig "caAddress" "" .global) $istiod)) -}}
{{- template "field" (list "POD_NAME" "metadata.name") -}}
{{- template "field" (list "POD_NAMESPACE" "metadata.namespace") -}}
{{- template "field" (list "INSTANCE_IP" "status.podIP") -}}
{{- template "field" (list "SERVICE_ACCOUNT" "spec.serviceAccountName") -}}
{{- template "field" (list "HOST_IP" "status.hostIP") -}}
{{- template "limit" (list "ISTIO_CPU_LIMIT" "limits.cpu") -}}
{{- template "variable" (list "PROXY_CONFIG" (printf "%s\n" (protoToJSON $data.ProxyConfig))) -}}
{{- template "variable" (list "ISTIO_META_POD_PORTS" .ports) -}}
{{- template "variable" (list "ISTIO_META_APP_CONTAINERS" .names) -}}
{{- template "limit" (list "GOMEMLIMIT" "limits.memory") -}}
{{- with $data.CompliancePolicy -}}
{{- template "variable" (list "COMPLIANCE_POLICY" .) -}}
{{- if eq . "fips-140-3" -}}{{- template "variable" (list "GODEBUG" "fips140=only") -}}{{- end -}}
{{- end -}}
{{- template "variable" (list "ISTIO_META_CLUSTER_ID" (coalesce .cluster (dig "multiCluster" "clusterName" "" .global) "Kubernetes")) -}}
{{- template "field" (list "ISTIO_META_NODE_NAME" "spec.nodeName") -}}
{{- with .interceptionMode -}}
{{- template "variable" (list "ISTIO_META_INTERCEPTION_MODE" .) -}}
{{- end -}}
{{- with coalesce .network (dig "network" "" .global) -}}
{{- template "variable" (list "ISTIO_META_NETWORK" .) -}}
{{- end -}}
{{- with .workload -}}
{{- template "variable" (list "ISTIO_META_WORKLOAD_NAME" .) -}}
{{- end -}}
{{- with .owner -}}
{{- template "variable" (list "ISTIO_META_OWNER" .) -}}
{{- end -}}
{{- if and (eq .role "sidecar") (isset $meta.Annotations "sidecar.istio.io/bootstrapOverride") -}}
{{- template "variable" (list "ISTIO_BOOTSTRAP_OVERRIDE" "/etc/istio/custom-bootstrap/custom_bootstrap.json") -}}
{{- end -}}
{{- with coalesce (dig "meshID" "" .global) $mesh.TrustDomain -}}
{{- template "variable" (list "ISTIO_META_MESH_ID" .) -}}
{{- end -}}
{{- with $mesh.TrustDomain -}}
{{- template "variable" (list "TRUST_DOMAIN" .) -}}
{{- end -}}
{{- if eq .role "sidecar" -}}{{- template "tracing" . -}}{{- end -}}
{{- template "proxy-metadata" . -}}
{{- end -}}

{{- /* What tracers are told of the workload. */ -}}
{{- define "tracing" -}}
{{- $data := .data -}}
{{- $meta := $data.ObjectMeta -}}
{{- if eq "datadog" (dig "tracer" "" .proxy) -}}
{{- $variables := fromJSON (annotation $meta "apm.datadoghq.com/env" "{}") -}}
{{- if kindIs "map" $variables -}}
{{- range $name, $value := $variables -}}
{{- if kindIs "invalid" $value -}}{{- $value = "" -}}{{- end -}}
{{- if not (kindIs "string" $value) -}}{{- $value = structToJSON $value -}}{{- end -}}
{{- template "variable" (list $name $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $conventions := false -}}
{{- range $data.MeshConfig.ExtensionProviders -}}
{{- if eq "OTEL_SEMANTIC_CONVENTIONS" (toString .GetOpentelemetry.GetServiceAttributeEnrichment) -}}{{- $conventions = true -}}{{- end -}}
{{- end -}}
{{- if $conventions -}}
{{- $namespace := $data.DeploymentMeta.Namespace | default "default" -}}
{{- $version := coalesce (index $meta.Labels "app.kubernetes.io/version") (index $meta.Labels "version") "" -}}
{{- if and (not $version) (eq 1 (len .applications)) -}}
{{- $image := last (splitList "/" (first .applications).Image) -}}
{{- if regexMatch "^[^:]*@.*:" $image -}}
{{- $version = regexReplaceAll "^[^@]*@" $image "" -}}
{{- else if contains ":" $image -}}
{{- $version = regexReplaceAll "^[^:]*:" $image "" -}}
{{- end -}}
{{- end -}}
{{- $first := "" -}}
{{- with .applications -}}{{- $first = (first .).Name -}}{{- end -}}
{{- $attributes := list (printf "service.namespace=%s" (annotation $meta "resource.opentelemetry.io/service.namespace" $namespace)) -}}
{{- if or $version (isset $meta.Annotations "resource.opentelemetry.io/service.version") -}}
{{- $attributes = append $attributes (printf "service.version=%s" (annotation $meta "resource.opentelemetry.io/service.version" $version)) -}}
{{- end -}}
{{- $instance := printf "%s.$(POD_NAME).%s" $namespace $first -}}
{{- $attributes = append $attributes (printf "service.instance.id=%s" (annotation $meta "resource.opentelemetry.io/service.instance.id" $instance)) -}}
{{- template "variable" (list "OTEL_RESOURCE_ATTRIBUTES" (join "," $attributes)) -}}
{{- end -}}
{{- end -}}

{{- /* Annotations about resources replace all of the installation's. */ -}}
{{- define "resources" -}}
{{- $annotations := .data.ObjectMeta.Annotations -}}
{{- $resources := dict -}}
{{- range list (list "requests" "cpu" "proxyCPU") (list "requests" "memory" "proxyMemory") (list "limits" "cpu" "proxyCPULimit") (list "limits" "memory" "proxyMemoryLimit") -}}
{{- $name := printf "sidecar.istio.io/%s" (index . 2) -}}
{{- if isset $annotations $name -}}
{{- $amounts := dig (index . 0) (dict) $resources -}}
{{- $_ := set $amounts (index . 1) (index $annotations $name) -}}
{{- $_ = set $resources (index . 0) $amounts -}}
{{- end -}}
{{- end -}}
{{- if not $resources -}}
{{- $usual := dict "requests" (dict "cpu" "100m" "memory" "128Mi") "limits" (dict "cpu" "2000m" "memory" "1024Mi") -}}
{{- $resources = dig "resources" $usual .proxy -}}
{{- end }}
        resources: {{ structToJSON $resources }}
{{- end -}}

{{- /* A check of the proxy: the delay, the period and the failures that it takes. */ -}}
{{- define "ready" }}
          httpGet:
            path: /healthz/ready
            port: 15021
          initialDelaySeconds: {{ index . 0 }}
          periodSeconds: {{ index . 1 }}
          timeoutSeconds: 3
          failureThreshold: {{ index . 2 }}
{{- end -}}

{{- /* The readiness of a sidecar: annotations come before values. */ -}}
{{- define "readiness" }}
        readinessProbe:
          {{- $meta := .data.ObjectMeta }}
          {{- $delay := annotation $meta "readiness.status.sidecar.istio.io/initialDelaySeconds" (dig "readinessInitialDelaySeconds" 0 .proxy | int) }}
          {{- $period := annotation $meta "readiness.status.sidecar.istio.io/periodSeconds" (dig "readinessPeriodSeconds" 15 .proxy | int) }}
          {{- $failures := annotation $meta "readiness.status.sidecar.istio.io/failureThreshold" (dig "readinessFailureThreshold" 4 .proxy | int) }}
          {{- template "ready" (list $delay $period $failures) }}
{{- end -}}

{{- /* Items of a list from an annotation that is a map from their names: context, annotation. */ -}}
{{- define "named-items" -}}
{{- $indent := .indent -}}
{{- range $name, $item := fromJSON (annotation .context.data.ObjectMeta .annotation "{}") -}}
{{- if not (kindIs "map" $item) -}}{{- $item = dict -}}{{- end -}}
{{- if not (hasKey $item "name") -}}{{- $_ := set $item "name" $name -}}{{- end -}}
{{- printf "- %s" (structToJSON $item) | nindent $indent -}}
{{- end -}}
{{- end -}}

{{- define "mount" }}
        - name: {{ index . 0 }}
          mountPath: {{ index . 1 }}
{{- end -}}

{{- define "read-only-mount" }}
        - name: {{ index . 0 }}
          mountPath: {{ index . 1 }}
          readOnly: true
{{- end -}}

{{- /* Where the proxy finds its files. */ -}}
{{- define "mounts" }}
        volumeMounts:
{{- $isAgent := eq .role "grpc-agent" -}}
{{- template "mount" (list "workload-socket" "/var/run/secrets/workload-spiffe-uds") -}}
{{- if not $isAgent -}}{{- template "mount" (list "credential-socket" "/var/run/secrets/credential-uds") -}}{{- end -}}
{{- if eq "GkeWorkloadCertificate" (dig "caName" "" .global) -}}
{{- template "read-only-mount" (list "gke-workload-certificate" "/var/run/secrets/workload-spiffe-credentials") -}}
{{- else -}}
{{- template "mount" (list "workload-certs" "/var/run/secrets/workload-spiffe-credentials") -}}
{{- end -}}
{{- if eq "istiod" (dig "pilotCertProvider" "istiod" .global) -}}
{{- template "mount" (list "istiod-ca-cert" "/var/run/secrets/istio") -}}
{{- if eq .role "sidecar" -}}{{- template "mount" (list "istio-ca-crl" "/var/run/secrets/istio/crl") -}}{{- end -}}
{{- end -}}
{{- template "mount" (list "istio-data" "/var/lib/istio/data") -}}
{{- if and (eq .role "sidecar") (isset .data.ObjectMeta.Annotations "sidecar.istio.io/bootstrapOverride") -}}
{{- template "mount" (list "custom-bootstrap-volume" "/etc/istio/custom-bootstrap") -}}
{{- end -}}
{{- template "mount" (list (ternary "istio-xds" "istio-envoy" $isAgent) "/etc/istio/proxy") -}}
{{- template "mount" (list "istio-token" "/var/run/secrets/tokens") -}}
{{- if eq "true" (dig "mountMtlsCerts" false .global | toString) -}}
{{- template "read-only-mount" (list "istio-certs" "/etc/certs/") -}}
{{- end -}}
{{- template "mount" (list "istio-podinfo" "/etc/istio/pod") -}}
{{- if .custom -}}
{{- with .lightstep -}}{{- template "read-only-mount" (list "lightstep-certs" .) -}}{{- end -}}
{{- template "named-items" (dict "context" . "annotation" "sidecar.istio.io/userVolumeMount" "indent" 8) -}}
{{- end -}}
{{- end -}}

{{- /* The volumes of those files. A volume without a source is an empty folder. */ -}}
{{- define "volumes" }}
      volumes:
{{- $data := .data -}}
{{- $isAgent := eq .role "grpc-agent" -}}
{{- $empty := ternary "" "\n        emptyDir: {}" .custom }}
      - name: workload-socket{{ $empty }}
{{- if not $isAgent }}
      - name: credential-socket{{ $empty }}
{{- end }}
{{- if eq "GkeWorkloadCertificate" (dig "caName" "" .global) }}
      - name: gke-workload-certificate
        csi:
          driver: workloadcertificates.security.cloud.google.com
{{- else }}
      - name: workload-certs{{ $empty }}
{{- end }}
{{- if and .custom (isset $data.ObjectMeta.Annotations "sidecar.istio.io/bootstrapOverride") }}
      - name: custom-bootstrap-volume
        configMap:
          name: {{ index $data.ObjectMeta.Annotations "sidecar.istio.io/bootstrapOverride" | quote }}
{{- end }}
      - name: {{ ternary "istio-xds" "istio-envoy" $isAgent }}
        emptyDir:
          medium: Memory
      - name: istio-data
        emptyDir: {}
      - name: istio-podinfo
        downwardAPI:
          items:
          - path: labels
            fieldRef:
              fieldPath: metadata.labels
          - path: annotations
            fieldRef:
              fieldPath: metadata.annotations
      - name: istio-token
        projected:
          sources:
          - serviceAccountToken:
              path: istio-token
              expirationSeconds: 43200
              audience: {{ dig "sds" "token" "aud" "istio-ca" .global | quote }}
{{- if eq "istiod" (dig "pilotCertProvider" "istiod" .global) }}
      - name: istiod-ca-cert
      {{- if eq "true" (dig "pilot" "env" "ENABLE_CLUSTER_TRUST_BUNDLE_API" false .values | toString) }}
        projected:
          sources:
          - clusterTrustBundle:
              name: istio.io:istiod-ca:root-cert
              path: root-cert.pem
      {{- else }}
        configMap:
          name: {{ dig "trustBundleName" "istio-ca-root-cert" .global | quote }}
      {{- end }}
{{- end }}
{{- if eq .role "sidecar" }}
      - name: istio-ca-crl
        configMap:
          name: {{ dig "pilot" "crlConfigMapName" "istio-ca-crl" .values | quote }}
          optional: true
{{- end }}
{{- if eq "true" (dig "mountMtlsCerts" false .global | toString) }}
      - name: istio-certs
        secret:
          secretName: {{ printf "istio.%s" (.account | default "default") | quote }}
          optional: true
{{- end }}
{{- if .custom }}
{{- template "named-items" (dict "context" . "annotation" "sidecar.istio.io/userVolume" "indent" 6) }}
{{- if .lightstep }}
      - name: lightstep-certs
        secret:
          secretName: lightstep.cacert
          optional: true
{{- end }}
{{- end }}
{{- end -}}
