// A plain script, without imports: a page that is loaded from a file needs no module loader.
{
  const { api } = window;

  function element<E extends Element>(id: string, type: new () => E): E {
    const found = document.getElementById(id);
    if (!(found instanceof type))
      throw new Error(`The page has no ${type.name} with the id ${id}.`);
    return found;
  }

  const theme = element("theme", HTMLSelectElement);
  const fontSize = element("font-size", HTMLInputElement);
  const fontSizeShown = element("font-size-shown", HTMLOutputElement);
  const problem = element("problem", HTMLParagraphElement);
  const changes = element("changes", HTMLOListElement);
  const lines = element("lines", HTMLOutputElement);

  function show(name: string, value: string | number): void {
    if (name === "theme") {
      document.documentElement.dataset.theme = String(value);
      theme.value = String(value);
    } else {
      document.documentElement.style.fontSize = `${value}px`;
      fontSize.value = String(value);
      fontSizeShown.value = `${value} px`;
    }
  }

  function list(text: string): void {
    const item = document.createElement("li");
    item.textContent = `${new Date().toLocaleTimeString()}  ${text}`;
    changes.prepend(item);
  }

  async function attempt(work: Promise<unknown>): Promise<void> {
    try {
      await work;
      problem.textContent = "";
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
    }
  }

  async function record(what: string): Promise<void> {
    lines.value = String(await api.record(what));
  }

  show("theme", api.initial.theme);
  show("fontSize", api.initial.fontSize);

  // What this window chose comes back as a change as well, so only changes are shown.
  api.onChange(({ name, value }) => {
    show(name, value);
    list(`${name} is ${value}`);
  });

  theme.addEventListener("change", () => {
    void attempt(api.set("theme", theme.value as typeof api.initial.theme));
    void attempt(record(`chose the theme ${theme.value}`));
  });
  fontSize.addEventListener("input", () => {
    void attempt(api.set("fontSize", fontSize.valueAsNumber));
    void attempt(record(`moved the font size to ${fontSize.value}`));
  });

  void attempt(record("opened the window"));
  void attempt(
    api.describeMachine().then((text) => {
      element("machine", HTMLParagraphElement).textContent = text;
    }),
  );
}
