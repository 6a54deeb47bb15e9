package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	serviceIPRange = "10.96.0.0/16"
	podIPRange     = "10.244.0.0/16"
	kubeconfigName = "kubeconfig"
	frontProxy     = "front-proxy"
)

// dir is the directory of a cluster.
type dir string

func (d dir) file(name string) string { return filepath.Join(string(d), name) }

// users have a token each; the value is the groups that the user is in.
var users = map[string]string{
	"admin": "system:masters",
	// Has no rights but those that a test binds.
	"reader": "",
}

// writeCredentials writes everything that does not depend on the ports: certificates, keys and tokens. It returns the
// certificate of the authority, in PEM, and the tokens by user.
func writeCredentials(d dir) (ca string, tokens map[string]string, err error) {
	authority, err := newAuthority(d)
	if err != nil {
		return "", nil, err
	}
	server := x509.Certificate{
		Subject:  pkix.Name{CommonName: "kube-apiserver"},
		DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		// The second is the address of the service "kubernetes".
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if err := authority.issue(d, "server", server); err != nil {
		return "", nil, err
	}
	proxy := x509.Certificate{
		Subject:     pkix.Name{CommonName: frontProxy},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if err := authority.issue(d, "front-proxy", proxy); err != nil {
		return "", nil, err
	}
	if _, err := newKey(d.file("service-accounts.key")); err != nil {
		return "", nil, err
	}
	tokens, err = writeTokens(d)
	if err != nil {
		return "", nil, err
	}
	certificate, err := os.ReadFile(d.file("ca.crt"))
	return string(certificate), tokens, err
}

// authority is a certificate authority.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(d dir) (*authority, error) {
	key, err := newKey(d.file("ca.key"))
	if err != nil {
		return nil, err
	}
	template := x509.Certificate{
		Subject:               pkix.Name{CommonName: "test-cluster"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	self := &authority{certificate: &template, key: key}
	self.certificate, err = self.sign(d.file("ca.crt"), template, key)
	return self, err
}

// issue writes a new key and its certificate to name.key and name.crt.
func (a *authority) issue(d dir, name string, template x509.Certificate) error {
	key, err := newKey(d.file(name + ".key"))
	if err != nil {
		return err
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	_, err = a.sign(d.file(name+".crt"), template, key)
	return err
}

func (a *authority) sign(path string, template x509.Certificate, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(30 * 24 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, err
	}
	if err := writePEM(path, "CERTIFICATE", der); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// writeTokens makes a token for each user and writes them as the API server reads them.
func writeTokens(d dir) (map[string]string, error) {
	tokens := map[string]string{}
	var csv strings.Builder
	for user, groups := range users {
		tokens[user] = rand.Text()
		fmt.Fprintf(&csv, "%s,%s,%s,%q\n", tokens[user], user, user, groups)
	}
	return tokens, os.WriteFile(d.file("tokens.csv"), []byte(csv.String()), 0o600)
}

// writeKubeconfig writes the kubeconfig of the admin.
func writeKubeconfig(d dir, p ports, token string) error {
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
  - name: test-cluster
    cluster:
      server: %s
      certificate-authority: %s
users:
  - name: admin
    user:
      token: %s
contexts:
  - name: test-cluster
    context:
      cluster: test-cluster
      user: admin
current-context: test-cluster
`, p.apiserverURL(), d.file("ca.crt"), token)
	return os.WriteFile(d.file(kubeconfigName), []byte(text), 0o600)
}
