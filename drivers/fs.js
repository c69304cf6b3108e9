"use strict";

const factory = require("../native.js").drivers.fs;

module.exports = factory;
module.exports.default = factory;
