package apigwposter

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
)

// The content types of TLS records, and the handshake messages that follow a
// handshake: RFC 8446, sections 5.1 and 4.
const (
	alert, handshake, applicationData = 21, 22, 23
	newSessionTicket, keyUpdate       = 4, 24
)

// peer is the server's side of a TLS 1.3 connection. The test makes its records itself,
// which crypto/tls does not allow.
type peer struct {
	net.Conn
	client, server keys
}

// newPeer has crypto/tls do the handshake.
func newPeer(c net.Conn, certificate tls.Certificate) (*peer, error) {
	var secrets bytes.Buffer
	handshaker := tls.Server(oneByteReader{c}, &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true,
		CurvePreferences: []tls.CurveID{tls.CurveP256}, KeyLogWriter: &secrets,
	})
	if err := handshaker.Handshake(); err != nil {
		return nil, err
	}
	if suite := handshaker.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		return nil, fmt.Errorf("this test does not know %s", tls.CipherSuiteName(suite))
	}
	p := &peer{Conn: c}
	for line := range strings.Lines(secrets.String()) {
		label, random, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, secret, _ := strings.Cut(random, " ")
		raw, err := hex.DecodeString(secret)
		if err != nil {
			return nil, err
		}
		switch label {
		case "CLIENT_TRAFFIC_SECRET_0":
			p.client = keys{secret: raw}
		case "SERVER_TRAFFIC_SECRET_0":
			p.server = keys{secret: raw}
		}
	}
	return p, nil
}

// oneByteReader keeps crypto/tls from reading beyond the handshake.
type oneByteReader struct{ net.Conn }

func (r oneByteReader) Read(b []byte) (int, error) { return r.Conn.Read(b[:min(1, len(b))]) }

// record returns a record with the content.
func (p *peer) record(kind byte, content string) string { return string(p.server.seal(kind, content)) }

func (p *peer) data(content string) string { return p.record(applicationData, content) }

// ticket returns a session ticket, which the client keeps or throws away.
func (p *peer) ticket() string {
	const message = "\x00\x00\x0e\x10" + "age!" + "\x01n" + "\x00\x06ticket" + "\x00\x00"
	return p.record(handshake, string([]byte{newSessionTicket, 0, 0, byte(len(message))})+message)
}

// update returns a change of the server's keys, and continues with the new ones.
func (p *peer) update(answered byte) string {
	record := p.record(handshake, string([]byte{keyUpdate, 0, 0, 1, answered}))
	p.server = p.server.next()
	return record
}

func (p *peer) send(records ...string) error {
	_, err := io.WriteString(p, strings.Join(records, ""))
	return err
}

// request waits for the record that a request begins with.
func (p *peer) request() error {
	for {
		kind, content, err := p.receive()
		switch {
		case err != nil:
			return err
		case kind == handshake && content[0] == keyUpdate:
			p.client = p.client.next()
		case kind == applicationData && strings.HasPrefix(content, "POST "):
			return nil
		default:
			return fmt.Errorf("a record of type %d: %.20q", kind, content)
		}
	}
}

func (p *peer) receive() (kind byte, content string, err error) {
	header := make([]byte, 5)
	if _, err := io.ReadFull(p, header); err != nil {
		return 0, "", err
	}
	body := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(p, body); err != nil {
		return 0, "", err
	}
	return p.client.open(header, body)
}

// keys protect one direction: RFC 8446, sections 5.2, 7.2 and 7.3.
type keys struct {
	secret []byte
	sent   uint64 // records
}

func (k *keys) next() keys { return keys{secret: k.expand("traffic upd", sha256.Size)} }

func (k *keys) seal(kind byte, content string) []byte {
	header := []byte{applicationData, 3, 3, 0, 0}
	binary.BigEndian.PutUint16(header[3:], uint16(len(content)+1+16))
	aead, nonce := k.cipher()
	return aead.Seal(header, nonce, append([]byte(content), kind), header)
}

func (k *keys) open(header, body []byte) (kind byte, content string, err error) {
	aead, nonce := k.cipher()
	inner, err := aead.Open(nil, nonce, body, header)
	inner = bytes.TrimRight(inner, "\x00")
	if err != nil || len(inner) == 0 {
		return 0, "", fmt.Errorf("no record: %w", err)
	}
	last := len(inner) - 1
	return inner[last], string(inner[:last]), nil
}

func (k *keys) cipher() (aead cipher.AEAD, nonce []byte) {
	block, err := aes.NewCipher(k.expand("key", 16))
	if err != nil {
		panic(err)
	}
	if aead, err = cipher.NewGCM(block); err != nil {
		panic(err)
	}
	nonce = k.expand("iv", 12)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^k.sent)
	k.sent++
	return aead, nonce
}

func (k *keys) expand(label string, size int) []byte {
	label = "tls13 " + label
	info := string([]byte{0, byte(size), byte(len(label))}) + label + "\x00"
	key, err := hkdf.Expand(sha256.New, k.secret, info, size)
	if err != nil {
		panic(err)
	}
	return key
}
