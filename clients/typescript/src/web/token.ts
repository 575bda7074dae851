/** The token by which the service knows its own page: requests that change something have to carry it. */

const COOKIE = "slotd-token=";

/** The headers that a request has for it; none where there is no cookie, as outside a browser. */
export function tokenHeaders(): Record<string, string> {
  const { document } = globalThis as { document?: { cookie: string } };
  const cookie = document?.cookie.split("; ").find((pair) => pair.startsWith(COOKIE));
  return cookie === undefined ? {} : { "X-Slotd-Token": cookie.slice(COOKIE.length) };
}

/** Has the cookie set anew, which comes with the page. */
export async function renewToken(baseUrl: string): Promise<void> {
  const answer = await fetch(new URL("/", baseUrl), {
    headers: { Accept: "text/html", "Cache-Control": "no-cache" },
  });
  await answer.body?.cancel();
}
