package template_test

import (
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

// wrongTable compares the table with the row that dynamostore writes.
func wrongTable(t template) []string {
	row, err := attributes(filepath.Join(testenv.Root(), "adapters", "dynamostore", "row.go"))
	if err != nil {
		return []string{err.Error()}
	}
	const path = "Resources/ConnectionsTable/Properties/"
	return t.unmet(
		expectation{path + "AttributeDefinitions", fmt.Sprintf(`[{"AttributeName":%q,"AttributeType":"S"}]`, row["ID"])},
		expectation{path + "KeySchema", fmt.Sprintf(`[{"AttributeName":%q,"KeyType":"HASH"}]`, row["ID"])},
		expectation{path + "TimeToLiveSpecification", fmt.Sprintf(`{"AttributeName":%q,"Enabled":true}`, row["ExpiresAt"])},
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

// attributes returns the attribute of each field of the struct row in a file.
func attributes(path string) (map[string]string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "row" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if tag, err := strconv.Unquote(field.Tag.Value); err == nil && len(field.Names) == 1 {
				name, _, _ := strings.Cut(reflect.StructTag(tag).Get("dynamodbav"), ",")
				found[field.Names[0].Name] = name
			}
		}
		return false
	})
	if found["ID"] == "" || found["ExpiresAt"] == "" {
		return nil, fmt.Errorf("%s: no struct row with the tags of ID and ExpiresAt", path)
	}
	return found, nil
}
