{{- /* What is known of a pod that is injected. */ -}}
{{- $_ := set $context "account" .Spec.ServiceAccountName -}}

{{- /* The containers of the user's. */ -}}
{{- $applications := list -}}
{{- range .Spec.Containers -}}
{{- if ne .Name "istio-proxy" -}}{{- $applications = append $applications . -}}{{- end -}}
{{- end -}}
{{- $_ = set $context "applications" $applications -}}

{{- $names := list -}}
{{- range $applications -}}{{- $names = append $names .Name -}}{{- end -}}
{{- $_ = set $context "names" (join "," $names) -}}

{{- /* Ports of all containers, one on each line. */ -}}
{{- $ports := list -}}
{{- range .Spec.Containers -}}
{{- range .Ports -}}{{- $ports = append $ports (structToJSON .) -}}{{- end -}}
{{- end -}}
{{- with $ports -}}{{- $ports = printf "\n    %s" (join "\n    ," .) -}}{{- else -}}{{- $ports = "" -}}{{- end -}}
{{- $_ = set $context "ports" (printf "[%s\n]" $ports) -}}

{{- $_ = set $context "workload" (coalesce (index .ObjectMeta.Labels "service.istio.io/workload-name") .DeploymentMeta.Name) -}}
{{- if and .TypeMeta.APIVersion .DeploymentMeta.Name -}}
{{- $namespace := .DeploymentMeta.Namespace | default "default" -}}
{{- $_ = set $context "owner" (printf "kubernetes://apis/%s/namespaces/%s/%ss/%s" .TypeMeta.APIVersion $namespace (lower .TypeMeta.Kind) .DeploymentMeta.Name) -}}
{{- end -}}

{{- /* The folder of Lightstep's certificates, if that is the tracer. */ -}}
{{- $lightstep := "" -}}
{{- if eq "lightstep" (dig "tracer" "" $proxy) -}}
{{- with .ProxyConfig.GetTracing.GetTlsSettings.GetCaCertificates -}}{{- $lightstep = dir . -}}{{- end -}}
{{- end -}}
{{- $_ = set $context "lightstep" $lightstep -}}

{{- /* The port of the agent's health and metrics; 0 for none. */ -}}
{{- $statusPort := annotation .ObjectMeta "status.sidecar.istio.io/port" (dig "statusPort" "15020" $proxy) -}}
{{- $holds := or .ProxyConfig.GetHoldApplicationUntilProxyStarts.GetValue (eq "true" (dig "holdApplicationUntilProxyStarts" false $proxy | toString)) -}}
