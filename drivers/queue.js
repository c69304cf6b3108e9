"use strict";

const factory = require("../native.js").drivers.queue;

module.exports = factory;
module.exports.default = factory;
