// The codec, evaluated when it is first used.
(function makeLateCodec(evaluate, builtins) {
  "use strict";

  let codec;
  const loaded = () => {
    codec ??= evaluate()(builtins);
    return codec;
  };

  return {
    pack: (value) => loaded().pack(value),
    decode: (text) => loaded().decode(text),
  };
});
