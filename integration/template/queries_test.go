package template_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var (
	comparedMessage = regexp.MustCompile(`message = "([^"]*)"`)
	quoted          = regexp.MustCompile(`"[^"]*"`)
	alias           = regexp.MustCompile(`\bas (\w+)`)
	word            = regexp.MustCompile(`@?[A-Za-z_]\w*`)
)

// queryWords are the words of the query language that the queries use.
var queryWords = strings.Fields("fields filter sort stats limit like by bin as desc asc and or not sum count latest h")

// wrongQueries checks that the queries name fields and messages that the code
// logs.
func wrongQueries(t template) []string {
	l, err := readLogCalls()
	if err != nil {
		return []string{err.Error()}
	}
	var wrong []string
	for id, query := range t.ofType("AWS::Logs::QueryDefinition") {
		source, _ := query.at("Properties/QueryString").(string)
		for _, complaint := range l.unknown(source) {
			wrong = append(wrong, id+": "+complaint)
		}
	}
	return wrong
}

// unknown returns what a query names but no log call writes.
func (l logged) unknown(query string) []string {
	var wrong []string
	for _, match := range comparedMessage.FindAllStringSubmatch(query, -1) {
		if !l.messages[match[1]] {
			wrong = append(wrong, fmt.Sprintf("nothing logs the message %q", match[1]))
		}
	}
	query = quoted.ReplaceAllString(query, "")
	known := slices.Concat(queryWords, lambdaKeys)
	for _, match := range alias.FindAllStringSubmatch(query, -1) {
		known = append(known, match[1])
	}
	for _, name := range word.FindAllString(query, -1) {
		if name[0] != '@' && !l.keys[name] && !slices.Contains(known, name) {
			wrong = append(wrong, fmt.Sprintf("nothing logs the field %q", name))
		}
	}
	return wrong
}
