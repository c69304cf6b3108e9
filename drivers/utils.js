"use strict";

const { utils } = require("../loader.js");

exports.defineDriver = utils.defineDriver;
exports.createError = utils.createError;
exports.createRequiredError = utils.createRequiredError;
exports.normalizeKey = utils.normalizeKey;
exports.joinKeys = utils.joinKeys;
