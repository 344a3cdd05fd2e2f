package template_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"

	"serverless-websocket/integration/environments/testenv"
)

// wrongTables compares the tables with the rows that dynamostore writes.
func wrongTables(t template) []string {
	folder := filepath.Join(testenv.Root(), "adapters", "dynamostore")
	row, err := attributes(filepath.Join(folder, "row.go"), "row", "ID", "ExpiresAt")
	key, failed := attributes(filepath.Join(folder, "subscriptionrow.go"), "rowKey", "Channel", "Member")
	log, missing := attributes(filepath.Join(folder, "messagelogrow.go"), "logRow", "Channel", "ExpiresAt")
	end, none := attributes(filepath.Join(folder, "messagelogend.go"), "logEnd", "Seq")
	said, absent := attributes(filepath.Join(folder, "conversationrow.go"), "conversationRow", "Conversation", "ID", "ExpiresAt")
	if err = errors.Join(err, failed, missing, none, absent); err != nil {
		return []string{err.Error()}
	}
	wrong := t.unmet(
		expectation{"Resources/LogsTable/Condition", `"HasHistory"`}, expectation{"Resources/ConversationsTable/Condition", `"HasHistory"`})
	wrong = append(wrong, wrongTable(t, "ConnectionsTable", row["ExpiresAt"], "S", row["ID"])...)
	wrong = append(wrong, wrongTable(t, "SubscriptionsTable", row["ExpiresAt"], "SS", key["Channel"], key["Member"])...)
	wrong = append(wrong, wrongTable(t, "ConversationsTable", said["ExpiresAt"], "SS", said["Conversation"], said["ID"])...)
	return append(wrong, wrongTable(t, "LogsTable", log["ExpiresAt"], "SN", log["Channel"], end["Seq"])...)
}

// wrongTable checks a table whose key is one or two attributes of types of one letter.
func wrongTable(t template, id, expiry, types string, key ...string) []string {
	var definitions, schema []string
	for i, attribute := range key {
		definitions = append(definitions, fmt.Sprintf(`{"AttributeName":%q,"AttributeType":"%c"}`, attribute, types[i]))
		schema = append(schema, fmt.Sprintf(`{"AttributeName":%q,"KeyType":%q}`, attribute, []string{"HASH", "RANGE"}[i]))
	}
	path := "Resources/" + id + "/Properties/"
	return t.unmet(
		expectation{path + "AttributeDefinitions", "[" + strings.Join(definitions, ",") + "]"},
		expectation{path + "KeySchema", "[" + strings.Join(schema, ",") + "]"},
		expectation{path + "TimeToLiveSpecification", fmt.Sprintf(`{"AttributeName":%q,"Enabled":true}`, expiry)},
		expectation{path + "BillingMode", `"PAY_PER_REQUEST"`},
		expectation{path + "SSESpecification", `{"SSEEnabled":true}`},
	)
}

// wrongBucket checks that no one else can read the code.
func wrongBucket(t template) []string {
	const path = "Resources/ServerlessDeploymentBucket/Properties/"
	return t.unmet(
		expectation{path + "PublicAccessBlockConfiguration",
			`{"BlockPublicAcls":true,"BlockPublicPolicy":true,"IgnorePublicAcls":true,"RestrictPublicBuckets":true}`},
	)
}

// attributes returns the attribute of each field of a struct in a file, which must have
// those that are wanted.
func attributes(path, name string, wanted ...string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || spec.Name.Name != name {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if field.Tag == nil { // it is in no item, or embedded
				continue
			}
			if tag, err := strconv.Unquote(field.Tag.Value); err == nil && len(field.Names) == 1 {
				name, _, _ := strings.Cut(reflect.StructTag(tag).Get("dynamodbav"), ",")
				found[field.Names[0].Name] = name
			}
		}
		return false
	})
	for _, field := range wanted {
		if found[field] == "" {
			return nil, fmt.Errorf("%s: no struct %s with a tag of %s", path, name, field)
		}
	}
	return found, nil
}
