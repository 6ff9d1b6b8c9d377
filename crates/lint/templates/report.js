// Shows what has all the words of the filter in it. Without this script the page is whole, and the field is not shown.
{
  const form = document.querySelector("nav form");
  const field = form.querySelector("input");
  const said = form.querySelector("output");
  const items = [...document.querySelectorAll(".m > tbody > tr, .r, .f, .rule, .notices > li")];
  // A row is found by its role, not by the tokens in it.
  const text = (item) => (item.matches("tr") ? item.firstElementChild : item).textContent.toLowerCase();
  let texts;
  const apply = () => {
    texts ??= items.map(text);
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let roles = 0;
    items.forEach((item, index) => {
      item.hidden = !words.every((word) => texts[index].includes(word));
      roles += item.matches("tr") && !item.hidden;
    });
    said.textContent = words.length ? `${roles} role${roles === 1 ? "" : "s"}` : "";
  };
  let waiting;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
}
