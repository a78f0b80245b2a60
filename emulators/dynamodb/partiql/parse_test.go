package partiql

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"a star", `SELECT * FROM Music`, `SELECT * FROM "Music"`},
		{"keywords in any case", `select * from Music where Artist = 'x' order by SongTitle desc`,
			`SELECT * FROM "Music" WHERE "Artist" = 'x' ORDER BY "SongTitle" DESC`},
		{"an index", `SELECT * FROM "Music"."by-genre"`, `SELECT * FROM "Music"."by-genre"`},
		{"paths", `SELECT a.b[0]."c d", "e""f" FROM t`, `SELECT "a"."b"[0]."c d", "e""f" FROM "t"`},
		{"a semicolon and comments", "SELECT * -- all\nFROM /* the */ t;", `SELECT * FROM "t"`},
		{"doubled quotation marks", `SELECT * FROM t WHERE a = 'it''s'`, `SELECT * FROM "t" WHERE "a" = 'it''s'`},
		{"AND binds more tightly than OR", `SELECT * FROM t WHERE a = 1 OR b = 2 AND NOT c = 3`, `SELECT * FROM "t" WHERE "a" = 1 OR "b" = 2 AND NOT "c" = 3`},
		{"parentheses that matter stay", `SELECT * FROM t WHERE (a = 1 OR b = 2) AND ((c = 3))`, `SELECT * FROM "t" WHERE ("a" = 1 OR "b" = 2) AND "c" = 3`},
		{"NOT before and within", `SELECT * FROM t WHERE NOT a IN (1) AND b NOT IN [1, 2] AND c NOT BETWEEN 1 AND 2 AND d IS NOT MISSING`,
			`SELECT * FROM "t" WHERE NOT "a" IN [1] AND "b" NOT IN [1, 2] AND "c" NOT BETWEEN 1 AND 2 AND "d" IS NOT MISSING`},
		{"two signs for not equal", `SELECT * FROM t WHERE a != 1 AND b <> 2`, `SELECT * FROM "t" WHERE "a" <> 1 AND "b" <> 2`},
		{"functions in any case", `SELECT * FROM t WHERE BEGINS_WITH(a, 'x') AND Size(b) > 2 AND contains("c", ?)`,
			`SELECT * FROM "t" WHERE begins_with("a", 'x') AND size("b") > 2 AND contains("c", ?)`},
		{"all kinds of values", `INSERT INTO t VALUE {'s': 'x', 'n': -1.5e+3, 'b': true, 'f': FALSE, 'z': null, 'l': [1, []], 'm': {}, 'ss': <<'a'>>, 'p': ?}`,
			`INSERT INTO "t" VALUE {'s': 'x', 'n': -1.5e+3, 'b': TRUE, 'f': FALSE, 'z': NULL, 'l': [1, []], 'm': {}, 'ss': <<'a'>>, 'p': ?}`},
		{"several sections of an update", `UPDATE "t" SET a = a + 1, b.c = list_append(b.c, [?]) SET d = -e REMOVE f REMOVE g[2] WHERE k = 'x' RETURNING ALL OLD *`,
			`UPDATE "t" SET "a" = "a" + 1, "b"."c" = list_append("b"."c", [?]), "d" = -"e" REMOVE "f" REMOVE "g"[2] WHERE "k" = 'x' RETURNING ALL OLD *`},
		{"a deletion", `DELETE FROM t WHERE k = ? RETURNING MODIFIED NEW *`, `DELETE FROM "t" WHERE "k" = ? RETURNING MODIFIED NEW *`},
		{"existence", `EXISTS(SELECT * FROM t WHERE k = 1 AND a IS MISSING)`, `EXISTS(SELECT * FROM "t" WHERE "k" = 1 AND "a" IS MISSING)`},
		{"a difference groups from the left", `UPDATE t SET a = b - c - (d - 1) WHERE k = 1`, `UPDATE "t" SET "a" = "b" - "c" - ("d" - 1) WHERE "k" = 1`},
		{"a minus that is no comment", `UPDATE t SET a = b - -1 WHERE k = 1`, `UPDATE "t" SET "a" = "b" - -1 WHERE "k" = 1`},
		{"names like date parts are free", `SELECT year FROM t WHERE title = 'x'`, `SELECT "year" FROM "t" WHERE "title" = 'x'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, err := Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.String(); got != tt.want {
				t.Errorf("got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"no statement", ``, msgMalformed + `Expected data manipulation`},
		{"no statement of data", `DROP TABLE t`, msgMalformed + `Expected data manipulation`},
		{"a table's name that needs quotation marks", `UPDATE Payment-x SET a=? WHERE b=?`, msgMalformed + `Expected data manipulation`},
		{"a reserved word for a name", `INSERT INTO urls (key, secret_key) VALUES (?, ?)`, msgMalformed + `Unexpected keyword`},
		{"a reserved word for an attribute", `SELECT user FROM t`, msgMalformed + `Unexpected keyword`},
		{"names and values in parentheses", `INSERT INTO t (a, b) VALUES (?, ?)`, msgMalformed + `Unexpected token after expression`},
		{"an insert of several values", `INSERT INTO t <<{'a': 1}, {'a': 2}>>`, `Unsupported insert of other than one value at 1:15:2`},
		{"INSERT without INTO", `INSERT t VALUE {}`, msgMalformed + `Unexpected keyword`},
		{"nothing to select from", `SELECT a`, msgMalformed + `Expected FROM after SELECT list`},
		{"a star beside a name", `SELECT *, a FROM t`, msgMalformed + msgStarAlone},
		{"a star behind a name", `SELECT a, * FROM t`, msgMalformed + msgStarAlone},
		{"DELETE without FROM", `DELETE t WHERE a = 1`, msgMalformed + `Expected FROM after DELETE`},
		{"an update of nothing", `UPDATE t WHERE a = 1`, msgMalformed + `Expected data manipulation`},
		{"an assignment without a sign", `UPDATE t SET a 1`, msgMalformed + `Expected '='`},
		{"a table that is no name", `UPDATE 'x' SET a = 1`, msgMalformed + `Expected identifier for simple path`},
		{"a parenthesis that stays open", `SELECT * FROM t WHERE (a = 1`, msgMalformed + `Expected RIGHT_PAREN`},
		{"a bracket that stays open", `SELECT * FROM t WHERE a IN [1`, msgMalformed + `Expected RIGHT_BRACKET`},
		{"a map without values", `INSERT INTO t VALUE {'a'}`, msgMalformed + `Expected COLON`},
		{"nothing right of an operator", `SELECT * FROM t WHERE a =`, msgMalformed + `Missing right-hand side expression of infix operator`},
		{"an operator too many", `SELECT * FROM t WHERE a = = 1`, msgMalformed + `Unexpected operator`},
		{"half a BETWEEN", `SELECT * FROM t WHERE a BETWEEN 1`, msgMalformed + `Expected AND keyword`},
		{"BETWEEN without its end", `SELECT * FROM t WHERE a BETWEEN 1 AND`, msgMalformed + `Expected expression after AND`},
		{"IS without a type", `SELECT * FROM t WHERE a IS 1`, msgMalformed + `Expected type name`},
		{"nothing where a value is expected", `SELECT * FROM t WHERE a IN ()`, msgMalformed + `Unexpected term`},
		{"a path that ends with a point", `SELECT a. FROM t`, msgMalformed + `Invalid path dot component`},
		{"RETURNING without what", `DELETE FROM t WHERE a = 1 RETURNING *`, msgMalformed + msgReturning},
		{"text after the end", `DELETE FROM t WHERE a = 1 b`, msgMalformed + `Unexpected token after expression`},
		{"two statements", `DELETE FROM t WHERE a = 1; DELETE FROM t`, msgMalformed + msgSemicolon},
		{"rows of values", `INSERT INTO t VALUES {'a': 1}`, msgMalformed + `Expected LEFT_PAREN for row value constructor`},
		{"a quotation mark that stays open", "SELECT *\nFROM t WHERE a = 'x", msgMalformed + `Invalid character at 2:18:1`},
		{"a character of no token", "SELECT * FROM t WHERE é = 1", msgMalformed + `Invalid character at 1:23:1`},
		{"a limit", `SELECT * FROM "t" LIMIT 5`, `Unsupported clause: LIMIT at 1:19:5`},
		{"a join", `SELECT * FROM a, b`, `Unexpected from source at 1:16:1`},
		{"a function's result for a table", `SELECT * FROM f(1)`, `Unexpected from source at 1:15:1`},
		{"LIKE", `SELECT * FROM t WHERE a LIKE 'x'`, `Unsupported operator: LIKE at 1:25:4`},
		{"a position that is not known", `SELECT a[b] FROM t`, `Unexpected path component at 1:10:1`},
		{"too many parentheses", `SELECT * FROM t WHERE ` + strings.Repeat("(", 1000), `Statement is nested too deeply at 1:123:1`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _, err := Parse(tt.text)
			if err == nil {
				t.Fatalf("parsed: %s", s)
			}
			if err.Error() != tt.want {
				t.Errorf("got %s\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParametersAreCounted(t *testing.T) {
	s, n, err := Parse(`UPDATE t SET a = ?, b = [?, {'x': ?}] WHERE k = ? AND c = '?'`)
	if err != nil || n != 4 {
		t.Fatalf("%d parameters: %v", n, err)
	}
	last := s.(*Update).Where.(*Binary).Left.(*Binary).Right.(*Parameter)
	if last.Index != 3 || last.At != (Span{1, 49, 1}) {
		t.Errorf("the last is number %d at %s", last.Index, last.At)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`SELECT a.b[0]."c" FROM "t"."i" WHERE NOT (a = ? OR b IN (1, -2)) AND c BETWEEN 'x' AND 'y' ORDER BY a DESC, b`)
	f.Add(`INSERT INTO t VALUE {'a': [1.5e3, TRUE, NULL], 'b': <<'x', 'it''s'>>, 'c': {'d': ?}}`)
	f.Add(`UPDATE t SET a = a + 1, b = set_add(b, <<1>>) REMOVE c[1].d WHERE k = - - 1 AND d IS NOT MISSING RETURNING MODIFIED OLD *`)
	f.Add(`EXISTS(SELECT * FROM t WHERE size(a) < 3 - (b - c)); -- end`)
	f.Fuzz(func(t *testing.T, text string) {
		s, n, err := Parse(text)
		if err != nil {
			return
		}
		canonical := s.String()
		again, m, err := Parse(canonical)
		if err != nil {
			if strings.Contains(err.Error(), "nested too deeply") {
				return // the parentheses that the canonical form adds
			}
			t.Fatalf("%q became %q: %v", text, canonical, err)
		}
		if again.String() != canonical || m != n {
			t.Errorf("%q became %q, then %q", text, canonical, again)
		}
	})
}
