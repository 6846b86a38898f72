"""What a worker process answers to probes, from its start to its end."""

from __future__ import annotations

import signal
from typing import Any

import httpx
import pytest

from sandbox.embedded.servers import free_port


class Prober:
    """Asks one worker."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and JSON; (0, {}) where nobody answers."""
        try:
            answer = httpx.get(f"{self.url}{path}", timeout=5, trust_env=False)
        except httpx.TransportError:
            return 0, {}
        return answer.status_code, answer.json()

    def wrong(self, path: str) -> dict[str, str]:
        """What is not healthy, and why."""
        return {each["name"]: each["detail"] for each in self.ask(path)[1]["checks"] if not each["is_healthy"]}


@pytest.fixture
def prober() -> Prober:
    return Prober(free_port())


async def test_a_worker_is_alive_before_it_is_ready_and_ready_while_its_stores_are(
    bench: Any, valkey: Any, prober: Prober
) -> None:
    port = int(prober.url.rpartition(":")[2])
    valkey.stop()
    worker = bench.launch(health_port=port, github_api_base=f"http://127.0.0.1:{free_port()}")
    await bench.until(lambda: prober.ask("/livez") == (200, {"alive": True}))
    assert prober.ask("/readyz")[0] == 503
    assert set(prober.wrong("/readyz")) == {"start"}

    valkey.start()
    await worker.ready()
    await bench.until(lambda: prober.ask("/readyz")[0] == 200)
    names = [check["name"] for check in prober.ask("/readyz")[1]["checks"]]
    assert names == ["postgres", "redis", "schema", "stream", "loop"]
    assert prober.ask("/healthz")[0] == 503
    assert set(prober.wrong("/healthz")) == {"github"}

    valkey.stop()
    await bench.until(lambda: prober.ask("/readyz")[0] == 503)
    assert {"redis", "stream"} <= set(prober.wrong("/readyz"))
    assert prober.ask("/livez")[0] == 200
    valkey.start()
    await bench.until(lambda: prober.ask("/readyz")[0] == 200)


async def test_a_worker_that_stops_is_not_ready_and_one_that_stands_still_not_alive(bench: Any, prober: Prober) -> None:
    worker = await bench.start(health_port=int(prober.url.rpartition(":")[2]))
    await bench.until(lambda: prober.ask("/readyz")[0] == 200)
    worker.signal(signal.SIGSTOP)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{prober.url}/livez", timeout=0.5, trust_env=False)
    worker.signal(signal.SIGCONT)

    await bench.accept("write_effect", seconds=30)
    await bench.until(lambda: bench.count("handler_runs"))
    worker.signal(signal.SIGTERM)  # it drains for five seconds
    await bench.until(lambda: prober.ask("/readyz")[0] == 503)
    assert prober.wrong("/readyz") == {"loop": "it is stopping"}
    worker.kill()
