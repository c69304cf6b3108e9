"use strict";

const factory = require("../loader.js").drivers.fs;

module.exports = factory;
module.exports.default = factory;
