"use strict";
// Addresses are relative to the page, so that it also works behind a proxy that serves us below a path of its own.
document.documentElement.classList.toggle("dark-mode", matchMedia("(prefers-color-scheme: dark)").matches);

// A form would start with values made up at random in its optional fields, and send them. These begin empty.
const EmptyOptions = () => ({
  wrapComponents: {
    JsonSchemaForm: (Original, system) => (props) =>
      system.React.createElement(Original, {
        ...props,
        dispatchInitialValue: props.required ? props.dispatchInitialValue : props.dispatchInitialValue && false,
      }),
  },
});

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
  plugins: [EmptyOptions],
});
