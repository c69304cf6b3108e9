"use strict";

const factory = require("../loader.js").drivers.queue;

module.exports = factory;
module.exports.default = factory;
