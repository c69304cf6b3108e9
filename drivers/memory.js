"use strict";

const factory = require("../native.js").drivers.memory;

module.exports = factory;
module.exports.default = factory;
