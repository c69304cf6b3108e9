"use strict";

const factory = require("../loader.js").drivers.sqlite;

module.exports = factory;
module.exports.default = factory;
