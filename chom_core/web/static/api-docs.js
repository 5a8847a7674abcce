// Mounts the API explorer on its element; kept out of the page so that the content policy needs no inline script.
const place = document.getElementById("api");
const words = place.dataset;

// Sets attributes on what a component has drawn, where nothing can be said by its properties.
const marks = (all) => (drawn) => {
  for (const [where, attributes] of Object.entries(all))
    for (const found of drawn ? drawn.querySelectorAll(where) : [])
      for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, value);
};

// What the explorer draws otherwise than a screen reader needs it: its head stands in no landmark, headings leap from
// the first level to the third, the button that opens an operation holds a link (`deepLinking` needs none), and its
// boxes, answers and the dialog have no names.
const accessible = ({ React: { createElement: draw, Fragment } }) => ({
  wrapComponents: {
    InfoContainer: (Head) => (props) => draw("div", { role: "banner" }, draw(Head, props)),
    operations: (Operations) => (props) =>
      draw(Fragment, null, draw("h2", { className: "api-heading" }, words.heading), draw(Operations, props)),
    DeepLink: (Link) => (props) =>
      props.path.includes("/") ? draw("span", { className: "nostyle" }, props.text) : draw(Link, props),
    TextArea: (Area) => (props) => draw(Area, { "aria-label": words.body, ...props }),
    responses: (Responses) => (props) => {
      const name = `${words.answers}: ${props.method.toUpperCase()} ${props.path}`;
      return draw("div", { ref: marks({ "table[role=region]": { "aria-label": name } }) }, draw(Responses, props));
    },
    authorizationPopup: (Popup) => (props) => {
      const ref = marks({ ".close-modal": { "aria-label": words.close }, h3: { "aria-level": "2" }, h4: { "aria-level": "3" } });
      return draw("div", { role: "dialog", "aria-modal": "true", "aria-label": words.key, ref }, draw(Popup, props));
    },
  },
});

SwaggerUIBundle({
  url: words.openapi, domNode: place, deepLinking: true, validatorUrl: null, plugins: [accessible],
});
