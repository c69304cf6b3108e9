"use strict";

const factory = require("../loader.js").drivers["fs-lite"];

module.exports = factory;
module.exports.default = factory;
