// Dragging a choice is another way to press its arrows: the new order is saved like theirs.
for (const list of document.querySelectorAll("[data-sort]")) {
  Sortable.create(list, {
    animation: 150,
    delay: 120,
    delayOnTouchOnly: true,
    filter: "button, a",
    preventOnFilter: false,
    onUpdate: () => list.closest("form").requestSubmit(),
  });
}
