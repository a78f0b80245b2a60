#!/bin/sh
# Makes one file of each package, for goja: what it lacks of the language is rewritten, what is built in stays a require.
set -e
cd "$(dirname "$0")"
bundle() {
	{
		echo "// Made by build.sh of $1 $(node -p "require('./node_modules/$1/package.json').version"); not to be edited."
		echo "/*"
		cat "node_modules/$1/LICENSE"
		echo "*/"
		go run github.com/evanw/esbuild/cmd/esbuild "$2" --bundle --format=cjs --platform=neutral --main-fields=main --target=esnext \
			--legal-comments=none --supported:async-generator=false --supported:for-await=false \
			--external:buffer --external:events --external:string_decoder --external:process/ --external:string_decoder/  --external:abort-controller
	} >"$1.js"
}
bundle readable-stream node_modules/readable-stream/lib/stream.js
bundle web-streams-polyfill node_modules/web-streams-polyfill/dist/ponyfill.mjs
