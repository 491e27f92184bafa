"""What a person does with the console, done by a browser against a real server and a live fleet."""

from __future__ import annotations

import re

import httpx
from playwright.sync_api import Browser, expect
from tests.console.visit import Visit
from tests.journeys.server import ADMIN_PASSWORD, Server, running

READING = re.compile(r"^\d")


def test_wrong_password_is_told_in_plain_words(browser: Browser, demo: Server) -> None:
    visit = Visit.begin(browser, demo.url)
    visit.page.goto("/devices?q=antwerp")
    visit.page.get_by_label("User name or email").fill("admin")
    visit.page.locator("[name=password]").fill("a guess")
    visit.page.get_by_role("button", name="Log in", exact=True).click()
    expect(visit.page.get_by_role("alert")).to_contain_text("wrong")
    visit.page.locator("[name=password]").fill(ADMIN_PASSWORD)
    visit.page.get_by_role("button", name="Log in", exact=True).click()
    visit.page.wait_for_url("**/devices?q=antwerp")
    visit.end()


def test_keys_lead_everywhere(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url("**/devices")
    page.locator("[data-row='0']").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("hamburg")
    page.wait_for_url("**/devices?q=hamburg")
    expect(page.locator("[data-row='0']")).to_contain_text("Hamburg 01")
    page.keyboard.press("Escape")
    expect(page.get_by_placeholder("Filter", exact=False)).not_to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row='1']")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("[data-row='0']")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hamburg 01")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def test_palette_finds_a_device(visit: Visit) -> None:
    visit.page.keyboard.press("Control+k")
    visit.page.get_by_role("combobox").fill("trieste 02")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Trieste 02")


def test_filter_and_sort_survive_a_reload(visit: Visit) -> None:
    page = visit.page
    page.goto("/devices")
    page.get_by_label("filter devices").fill("type=robot battery<=100")
    page.get_by_role("button", name="Battery").click()
    page.reload()
    expect(page.get_by_label("filter devices")).to_have_value("type=robot battery<=100")
    expect(page.get_by_role("columnheader", name="Battery")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_text("25 of")).to_be_visible()


def test_a_new_device_turns_the_box_green_with_its_first_message(visit: Visit, demo: Server) -> None:
    page = visit.page
    page.goto("/devices")
    page.locator("[data-row='0']").wait_for()
    page.keyboard.press("n")
    page.get_by_label("Name").fill("Quay crane 3")
    page.get_by_role("dialog").get_by_role("button", name="Add device").click()
    snippet = page.get_by_role("region", name="the curl code").inner_text()
    expect(page.get_by_text("Waiting for a message")).to_be_visible()

    url = re.search(r"POST (\S+)", snippet)
    token = re.search(r"Bearer ([^\"]+)", snippet)
    body = re.search(r"-d '(.+)'", snippet)
    assert url and token and body
    answer = httpx.post(
        url[1],
        content=body[1].encode(),
        headers={"authorization": f"Bearer {token[1]}", "content-type": "application/json"},
    )
    assert answer.status_code == 201

    expect(page.get_by_text("It works")).to_be_visible()
    page.get_by_role("button", name="Open device").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Quay crane 3")
    expect(page.get_by_label("Temperature over time")).to_contain_text("21.5")


def test_charts_go_on_live_and_zoom_together(visit: Visit) -> None:
    page = visit.page
    page.goto("/devices?q=antwerp")
    page.locator("[data-row='0']").click()
    charts = page.locator(".u-over")
    charts.first.wait_for()
    odometer = page.get_by_label("Speed over time").locator("strong")
    before = odometer.inner_text()
    expect(odometer).not_to_have_text(before)

    page.mouse.move(0, 0)
    chart = charts.nth(1)
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, middle, steps=5)
    page.mouse.up()
    page.wait_for_url(re.compile(r"from=\d+&to=\d+"))
    expect(page.get_by_role("button", name="Back to live")).to_be_visible()
    page.get_by_role("button", name="Back to live").click()
    expect(page.get_by_role("button", name="Back to live")).to_have_count(0)


def test_pausing_freezes_the_picture_and_says_so(visit: Visit) -> None:
    badge = visit.page.get_by_role("button", name=re.compile("live link"))
    expect(badge).to_contain_text("/s")
    badge.click()
    expect(badge).to_contain_text("paused")
    badge.click()
    expect(badge).to_contain_text("live")


def test_api_key_is_shown_once_and_revoked(visit: Visit, demo: Server) -> None:
    page = visit.page
    page.goto("/account")
    page.get_by_label("Name of a new key").fill("nightly export")
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_role("status").locator("code").inner_text()
    assert httpx.get(f"{demo.url}/api/devices", headers={"x-api-key": key}).status_code == 200
    row = page.get_by_role("listitem").filter(has_text="nightly export")
    row.get_by_role("button", name="Revoke").click()
    row.get_by_role("button", name="Really revoke").click()
    expect(row).to_have_count(0)
    assert httpx.get(f"{demo.url}/api/devices", headers={"x-api-key": key}).status_code == 401


def test_token_is_rotated_and_the_device_removed(visit: Visit, demo: Server) -> None:
    device = demo.admin().device("doomed")
    page = visit.page
    page.goto(f"/devices/{device.id}?tab=connect")
    page.get_by_role("button", name="New token").click()
    page.get_by_role("button", name="Make a new token").click()
    expect(page.get_by_text("Device token, shown only now")).to_be_visible()
    assert device.post({"sensor_readings": {"a": 1}}).status_code == 401
    page.get_by_role("button", name="device actions").click()
    page.get_by_role("menuitem", name="Remove device").click()
    page.get_by_role("button", name="Remove for good").click()
    page.wait_for_url("**/devices")
    assert demo.admin().ask("GET", f"/api/devices/{device.id}").status_code == 404


def test_a_session_ended_elsewhere_leads_back_to_the_log_in(visit: Visit) -> None:
    visit.page.goto("/devices?q=antwerp")
    visit.page.locator("[data-row='0']").wait_for()
    visit.page.context.request.post(f"{visit.url}/api/auth/logout")
    expect(visit.page.get_by_role("heading", name="Log in to Mooring")).to_be_visible()


def test_the_map_zooms_by_keyboard_and_has_a_list(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("application").focus()
    scale = page.get_by_role("application").locator("xpath=following-sibling::div[1]")
    before = scale.inner_text()
    for _ in range(4):
        page.keyboard.press("+")
        page.wait_for_timeout(320)
    expect(scale).not_to_have_text(before)
    page.get_by_text("List", exact=True).click()
    expect(page.get_by_label("whereabouts").get_by_role("link", name="Antwerp 01")).to_be_visible()


def test_an_empty_server_offers_a_first_device_and_a_dropped_link_is_told(browser: Browser, tmp_path) -> None:  # type: ignore[no-untyped-def]
    with running(tmp_path / "data") as server:
        visit = Visit.begin(browser, server.url).log_in()
        expect(visit.page.get_by_text("Connect the first device")).to_be_visible()
        badge = visit.page.get_by_role("button", name=re.compile("live link"))
        expect(badge).to_contain_text("live")
        server.stop()
        expect(badge).to_contain_text("reconnecting")
        visit.page.context.close()
