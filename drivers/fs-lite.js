"use strict";

const factory = require("../native.js").drivers["fs-lite"];

module.exports = factory;
module.exports.default = factory;
