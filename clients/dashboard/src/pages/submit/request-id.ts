/** A new id by which the service knows a repeated request. (`crypto.randomUUID` is for pages over HTTPS alone.) */
export function requestId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");
}
