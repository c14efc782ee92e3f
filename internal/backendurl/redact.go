package backendurl

import (
	"io"
	"net/url"
	"strings"
)

// hidden stands for a password.
const hidden = "xxxxx"

// shortSecret is below how many bytes a password is not looked for in every word.
const shortSecret = 4

// Redactor returns what takes the passwords of the URLs out of a text: drivers put them into their errors now and then.
func Redactor(urls ...URL) *strings.Replacer {
	var pairs []string
	for _, u := range urls {
		if u.server == nil {
			continue
		}
		pairs = append(pairs, u.server.String(), u.String())
		for _, secret := range u.secrets() {
			for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:]} {
				if len(form) >= shortSecret {
					pairs = append(pairs, form, hidden)
				} else { // as a part of a longer text
					pairs = append(pairs, ":"+form+"@", ":"+hidden+"@", "password="+form, "password="+hidden)
				}
			}
		}
	}
	return strings.NewReplacer(pairs...)
}

// secrets are the password, and the values of the parameters that look like one.
func (u URL) secrets() (all []string) {
	if p, _ := u.server.User.Password(); p != "" {
		all = append(all, p)
	}
	for name, values := range u.server.Query() {
		name = strings.ToLower(name)
		if !strings.Contains(name, "pass") && !strings.Contains(name, "pwd") && !strings.Contains(name, "secret") && !strings.Contains(name, "token") {
			continue
		}
		for _, v := range values {
			if v != "" {
				all = append(all, v)
			}
		}
	}
	return all
}

// Writer returns a writer to w of texts that are written whole, line by line, without the passwords.
func Writer(w io.Writer, r *strings.Replacer) io.Writer { return redacting{w, r} }

type redacting struct {
	w io.Writer
	r *strings.Replacer
}

func (r redacting) Write(p []byte) (int, error) {
	if _, err := r.r.WriteString(r.w, string(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
