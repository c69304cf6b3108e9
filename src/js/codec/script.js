// The codec as a script of its own, which fills the object that it is given.

import { decode, encode, pack } from "./index.js";

Object.assign(api, { pack, encode, decode });
