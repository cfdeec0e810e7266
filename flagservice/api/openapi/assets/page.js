"use strict";

// A page to read: nothing is sent from it, and nothing on it asks for a token.
const nothing = () => () => null;
const readOnly = () => ({
  wrapComponents: {
    SchemesContainer: nothing,
    authorizeBtn: nothing,
    authorizeOperationBtn: nothing,
  },
});

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#api",
  supportedSubmitMethods: [],
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  plugins: [readOnly],
});
