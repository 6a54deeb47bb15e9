{{- /* A bootstrap file for applications that speak xDS by gRPC themselves, without certificates. */ -}}
spec:
      initContainers:
      - name: grpc-bootstrap-init
        image: busybox:1.28
        command:
        - sh
        - -c
        - |
          cat > /var/lib/grpc/data/bootstrap.json <<EOF
          {
            "xds_servers": [
              {
                "server_uri": "dns:///istiod.{{ dig "istioNamespace" "istio-system" $global }}.svc:15010",
                "channel_creds": [
                  {
                    "type": "insecure"
                  }
                ],
                "server_features": [
                  "xds_v3"
                ]
              }
            ],
            "node": {
              "id": "sidecar~${INSTANCE_IP}~${POD_NAME}.${POD_NAMESPACE}~cluster.local",
              "metadata": {
                "GENERATOR": "grpc"
              }
            }
          }
          EOF
        env:
        {{- template "field" (list "INSTANCE_IP" "status.podIP") }}
        {{- template "field" (list "POD_NAME" "metadata.name") }}
        {{- template "field" (list "POD_NAMESPACE" "metadata.namespace") }}
        volumeMounts:
        {{- template "mount" (list "grpc-io-proxyless-bootstrap" "/var/lib/grpc/data/") }}
      containers:
      {{- range .Spec.Containers }}
      - name: {{ quote .Name }}
        env:
        {{- template "variable" (list "GRPC_XDS_BOOTSTRAP" "/var/lib/grpc/data/bootstrap.json") }}
        {{- template "variable" (list "GRPC_GO_LOG_VERBOSITY_LEVEL" "99") }}
        {{- template "variable" (list "GRPC_GO_LOG_SEVERITY_LEVEL" "info") }}
        volumeMounts:
        {{- template "mount" (list "grpc-io-proxyless-bootstrap" "/var/lib/grpc/data/") }}
      {{- end }}
      volumes:
      - name: grpc-io-proxyless-bootstrap
        emptyDir: {}
