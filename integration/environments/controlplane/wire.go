package controlplane

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// answerQuery answers a call of the query protocol with the handler's return value as the
// result of the action.
func answerQuery(w http.ResponseWriter, c call, handle func(c call, action string) (any, error)) {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		writeXML(w, http.StatusBadRequest, queryError{Code: "MalformedQueryString", Message: err.Error()})
		return
	}
	c.Form = form
	action := form.Get("Action")
	result, err := handle(c, action)
	if err != nil {
		failed := asAPIError(err)
		writeXML(w, failed.status, queryError{Code: failed.code, Message: failed.message})
		return
	}
	writeXML(w, http.StatusOK, queryResponse{action, result})
}

type queryError struct {
	XMLName xml.Name `xml:"ErrorResponse"`
	Code    string   `xml:"Error>Code"`
	Message string   `xml:"Error>Message"`
}

// queryResponse is <ActionResponse><ActionResult>…</ActionResult></ActionResponse>.
type queryResponse struct {
	action string
	result any
}

func (q queryResponse) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	response := xml.StartElement{Name: xml.Name{Local: q.action + "Response"}}
	if err := e.EncodeToken(response); err != nil {
		return err
	}
	if err := e.EncodeElement(q.result, xml.StartElement{Name: xml.Name{Local: q.action + "Result"}}); err != nil {
		return err
	}
	return e.EncodeToken(response.End())
}

func writeXML(w http.ResponseWriter, status int, value any) {
	encoded, err := xml.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), encoded...))
}

// answerJSON answers a call of one of the JSON protocols.
func answerJSON(w http.ResponseWriter, c call, handle func(call) (any, error)) {
	status := http.StatusOK
	result, err := handle(c)
	if err != nil {
		failed := asAPIError(err)
		status, result = failed.status, map[string]string{"__type": failed.code, "message": failed.message}
		w.Header().Set("X-Amzn-ErrorType", failed.code)
	}
	encoded, err := json.Marshal(result)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded)
}

func asAPIError(err error) apiError {
	var failed apiError
	if errors.As(err, &failed) {
		return failed
	}
	return apiError{http.StatusInternalServerError, "InternalFailure", err.Error()}
}

// members returns the elements of a list in the query protocol:
// Capabilities.member.1, or Tags.member.1.Key with "Key" as the field.
func members(form url.Values, list, field string) []string {
	if field != "" {
		field = "." + field
	}
	var found []string
	for i := 1; ; i++ {
		name := fmt.Sprintf("%s.member.%d%s", list, i, field)
		if !form.Has(name) {
			return found
		}
		found = append(found, form.Get(name))
	}
}

// pairs returns a list of keys and values in the query protocol.
func pairs(form url.Values, list, keyField, valueField string) map[string]string {
	found := map[string]string{}
	values := members(form, list, valueField)
	for i, name := range members(form, list, keyField) {
		if i < len(values) {
			found[name] = values[i]
		}
	}
	return found
}
