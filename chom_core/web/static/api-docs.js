// Mounts the API explorer on its element; kept out of the page so that the content policy needs no inline script.
const place = document.getElementById("api");
SwaggerUIBundle({ url: place.dataset.openapi, domNode: place, deepLinking: true, validatorUrl: null });
