// What the server says as JSON, or why it does not.
"use strict";

export async function fetchJson(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Error(answer.status === 401 ? "you are not logged in to Airflow any more" : said.detail || `the server answered ${answer.status}`);
  }
  return answer.json();
}
