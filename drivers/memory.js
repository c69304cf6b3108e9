"use strict";

const factory = require("../loader.js").drivers.memory;

module.exports = factory;
module.exports.default = factory;
