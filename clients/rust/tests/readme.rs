//! The README's quickstart is the example that the compiler sees.

#[test]
fn the_readme_shows_the_quickstart_as_it_is() {
    let quickstart = format!("<!-- quickstart -->\n```rs\n{}```\n", include_str!("../examples/quickstart.rs"));
    assert!(include_str!("../README.md").contains(&quickstart));
}
