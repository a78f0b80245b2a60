// node:assert/strict.
const assert = require('assert');
module.exports = assert.strict || assert;
