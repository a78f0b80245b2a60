// node:https: node:http with another scheme.
module.exports = require('http').of('https:');
