{{- /* What the proxies have in common that istiod deploys for Gateways of the Gateway API. */ -}}
{{- $_ := set $context "account" .ServiceAccount -}}
{{- $_ = set $context "names" "" -}}
{{- $_ = set $context "ports" "[\n]" -}}
{{- $_ = set $context "cluster" .ClusterID -}}
{{- $_ = set $context "network" (index .InfrastructureLabels "topology.istio.io/network") -}}
{{- $_ = set $context "workload" .DeploymentName -}}
{{- $_ = set $context "owner" (printf "kubernetes://apis/apps/v1/namespaces/%s/deployments/%s" .Namespace .DeploymentName) -}}
{{- $_ = set $context "interceptionMode" (toString .ProxyConfig.InterceptionMode) -}}
{{- $selector := dict .GatewayNameLabel .Name -}}
{{- $labels := dict "gateway.networking.k8s.io/gateway-class-name" (toString .Spec.GatewayClassName) -}}
{{- range $name, $value := .InfrastructureLabels -}}{{- $_ := set $labels $name $value -}}{{- end -}}
{{- $_ = set $labels .GatewayNameLabel .Name -}}
{{- $_ = set $context "selector" $selector -}}
{{- $_ = set $context "labels" $labels -}}

{{- /* Metadata of an object that goes with its Gateway: context, name. */ -}}
{{- define "metadata" -}}
{{- $data := .context.data }}
metadata:
  name: {{ quote .name }}
  namespace: {{ quote $data.Namespace }}
  labels: {{ structToJSON .context.labels }}
  {{- with $data.InfrastructureAnnotations }}
  annotations: {{ structToJSON . }}
  {{- end }}
  ownerReferences:
  - apiVersion: gateway.networking.k8s.io/v1beta1
    kind: Gateway
    name: {{ quote $data.Name }}
    uid: {{ quote $data.UID }}
{{- end -}}

{{- define "service-account" -}}
apiVersion: v1
kind: ServiceAccount
{{- template "metadata" (dict "context" . "name" .data.ServiceAccount) }}
{{- with dig "imagePullSecrets" (list) .global }}
imagePullSecrets:
{{- range . }}
- name: {{ if kindIs "map" . }}{{ quote .name }}{{ else }}{{ quote . }}{{ end }}
{{- end }}
{{- end }}
---
{{- end -}}

{{- /* The container of the proxy, but for its resources: context. */ -}}
{{- define "deployed-proxy" -}}
{{- template "proxy" .context }}
        ports:
        - name: metrics
          containerPort: 15020
          protocol: TCP
        - name: status-port
          containerPort: 15021
          protocol: TCP
        - name: http-envoy-prom
          containerPort: 15090
          protocol: TCP
        {{- template "args" .context }}
        env:
        {{- template "environment" .context }}
        startupProbe:
          {{- template "ready" (list 1 1 30) }}
        readinessProbe:
          {{- template "ready" (list 0 15 4) }}
        securityContext:
          allowPrivilegeEscalation: false
          privileged: false
          capabilities:
            drop: [ALL]
          readOnlyRootFilesystem: true
          runAsNonRoot: true
          runAsUser: {{ .context.data.ProxyUID }}
          runAsGroup: {{ .context.data.ProxyGID }}
          {{- with dig "seccompProfile" (dict) .context.proxy }}
          seccompProfile: {{ structToJSON . }}
          {{- end }}
        {{- template "mounts" .context }}
{{- end -}}

{{- /* What the pods say of themselves. */ -}}
{{- define "pod-metadata" -}}
{{- $data := .data -}}
{{- $labels := deepCopy .labels -}}
{{- $_ := set $labels "sidecar.istio.io/inject" "false" -}}
{{- $_ = set $labels "service.istio.io/canonical-name" $data.DeploymentName -}}
{{- $_ = set $labels "service.istio.io/canonical-revision" "latest" -}}
{{- with $data.ControllerLabel -}}{{- $_ = set $labels "gateway.istio.io/managed" . -}}{{- end -}}
{{- if eq .role "waypoint" -}}{{- $_ = set $labels "istio.io/dataplane-mode" "none" -}}{{- end -}}
{{- $annotations := dict -}}
{{- range $name, $value := $data.InfrastructureAnnotations -}}{{- $_ := set $annotations $name $value -}}{{- end -}}
{{- $_ = set $annotations "istio.io/rev" ($data.Revision | default "default") -}}
{{- $_ = set $annotations "prometheus.io/path" "/stats/prometheus" -}}
{{- $_ = set $annotations "prometheus.io/port" "15020" -}}
{{- $_ = set $annotations "prometheus.io/scrape" "true" }}
    metadata:
      labels: {{ structToJSON $labels }}
      annotations: {{ structToJSON $annotations }}
{{- end -}}

{{- /* istiod leaves out the last two unless the Gateway's parameters say something of them. */ -}}
{{- define "service-and-scaling" -}}
{{- $data := .data }}
apiVersion: v1
kind: Service
{{- template "metadata" (dict "context" . "name" $data.DeploymentName) }}
spec:
  type: {{ $data.ServiceType }}
  ipFamilyPolicy: PreferDualStack
  selector: {{ structToJSON .selector }}
  {{- if eq (toString $data.ServiceType) "LoadBalancer" }}
  {{- with $data.Spec.Addresses }}
  loadBalancerIP: {{ (first .).Value | quote }}
  {{- end }}
  {{- end }}
  ports:
  {{- range $data.Ports }}
  - name: {{ quote .Name }}
    port: {{ .Port }}
    protocol: TCP
    {{- with .AppProtocol }}
    appProtocol: {{ structToJSON . }}
    {{- end }}
  {{- end }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
{{- template "metadata" (dict "context" . "name" $data.DeploymentName) }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ quote $data.DeploymentName }}
  maxReplicas: 1
---
apiVersion: policy/v1
kind: PodDisruptionBudget
{{- template "metadata" (dict "context" . "name" $data.DeploymentName) }}
spec:
  selector:
    matchLabels: {{ structToJSON .selector }}
{{- end -}}
