"use strict";
// Addresses are relative to the page, so that it also works behind a proxy that serves us below a path of its own.
document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#calls",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: -1,
  docExpansion: "list",
  // Answers are judged by nobody outside, and nothing is fetched from another server.
  validatorUrl: null,
  queryConfigEnabled: false,
});
