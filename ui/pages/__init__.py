"""One module a page: ``render(desk, actor)`` holds widgets, a service call a part, a rendering."""
