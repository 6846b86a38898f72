"""Making the App: a person confirms it at GitHub, its credentials are kept, and its first installation is awaited."""

from __future__ import annotations

import asyncio
import os
import signal
import time
import webbrowser
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from shared.domain.installation import Installation
from shared.errors import GitHubError, GitHubUnavailable
from shared.github.addresses import addresses_of
from shared.github.app_auth import AppAuth
from shared.github.app_manifest import AppCredentials, AppPlan, convert
from shared.github.client import GitHubClient
from shared.github.key_ring import KeyRing
from shared.github.network import network_of_environment
from shared.github.signers import local_signers

from ..failures import CommandFailed
from ..output import messages, print_facts, say
from .credentials import CredentialStore, keep_somewhere
from .local_pages import LocalPages

GITHUB_TIMEOUT_SECONDS = 30
POLL_SECONDS = 2.0


def create_app(
    plan: AppPlan,
    store: CredentialStore,
    *,
    api_base: str,
    port: int | None,
    browse: bool,
    wait_seconds: float,
    installation_wanted: bool,
) -> None:
    """Makes the App, and prints what was made. Raises `CommandFailed`; where nothing was made, nothing is kept."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a script started it in the background
    store.prepare()
    network_of_environment(os.environ)  # what is wrong with it is told before anything is made
    deadline = time.monotonic() + wait_seconds

    def redeem(code: str) -> AppCredentials:
        credentials = asyncio.run(_convert(api_base, code))
        keep_somewhere(store, credentials)
        return credentials

    with LocalPages(
        plan, addresses_of(api_base), redeem=redeem, place=store.place, waits=installation_wanted, port=port
    ) as pages:
        say(f"go on in your browser: {pages.address}")
        if browse:
            webbrowser.open(pages.address)
        try:
            with messages().status("waiting for you to confirm the App at GitHub"):
                credentials = pages.wait(wait_seconds)
            say(f"made the App {credentials.name}; its credentials are kept in {store.place}")
            installation = None
            if installation_wanted:
                installation = _await_installation(credentials, api_base=api_base, deadline=deadline)
        except KeyboardInterrupt:
            if pages.kept:
                say(f"stopped; the App was made, and its credentials are kept in {store.place}")
            raise
    if installation:
        store.keep(credentials, installation_id=installation.id)
    _print(credentials, installation, store)


def open_github(api_base: str) -> AbstractAsyncContextManager[GitHubClient]:
    """A client of the App's GitHub, reached as the environment says; raises `InvalidSettings`."""
    network = network_of_environment(os.environ)
    return GitHubClient.open(base_url=api_base, timeout_seconds=GITHUB_TIMEOUT_SECONDS, network=network)


def app_with_key(github: GitHubClient, *, app_id: str, private_key: str) -> AppAuth:
    """The App with keys that are here, in PEM; raises `InvalidSettings` where they cannot be used."""
    signers = local_signers(private_key, source="the App's private key")
    return AppAuth(github, app_id=app_id, keys=KeyRing(lambda: signers))


def _print(credentials: AppCredentials, installation: Installation | None, store: CredentialStore) -> None:
    print_facts(
        (
            ("App", credentials.name),
            ("id", credentials.app_id),
            ("owner", credentials.owner),
            ("page", credentials.html_url),
            ("credentials", store.place),
            ("installation", f"{installation.id} on {installation.account}" if installation else None),
            ("install at", None if installation else credentials.install_url),
        )
    )


async def _convert(api_base: str, code: str) -> AppCredentials:
    async with open_github(api_base) as github:
        try:
            return await convert(github, code)
        except GitHubUnavailable as error:
            raise CommandFailed(
                f"the App's credentials could not be had: {error}",
                hint="GitHub may have made the App: delete it in its owner's settings, and run the command again",
            ) from error
        except GitHubError as error:
            raise CommandFailed(str(error), hint="run 'octobatch github-app create' again") from error


def _await_installation(credentials: AppCredentials, *, api_base: str, deadline: float) -> Installation | None:
    """The first installation; None where there is none in time, which is no failure: the App works from then on."""
    say(f"install it: {credentials.install_url}")
    with messages().status("waiting for the first installation (Ctrl-C is safe: all is kept)"):
        found = asyncio.run(_poll(credentials, api_base=api_base, has_time=lambda: time.monotonic() < deadline))
    if found is None:
        say("no installation in time; install the App when you like, Octobatch finds it by itself")
    return found


async def _poll(credentials: AppCredentials, *, api_base: str, has_time: Callable[[], bool]) -> Installation | None:
    async with open_github(api_base) as github:
        app = app_with_key(github, app_id=credentials.app_id, private_key=credentials.private_key)
        told = ""
        while has_time():
            try:
                if found := await app.list_installations():
                    return found[0]
            except GitHubError as error:  # a replica may not know the App yet
                if str(error) != told:
                    told = str(error)
                    say(f"asking again: {told}")
            await asyncio.sleep(POLL_SECONDS)
    return None
