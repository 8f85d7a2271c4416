"""Which units a campaign is about."""

from __future__ import annotations

import pytest

from unstate.batch.model import Estate, Library, Service
from unstate.batch.units import library_units, select, service_units, shard

ESTATE = Estate(
    root="/repo",
    services=(
        Service(name="site", root=".", owners=("@acme/web",)),
        Service(
            name="shop", root="services/shop", libraries=("libs/common",), owners=("@acme/shop", "ann@example.com")
        ),
        Service(name="shop admin", root="services/shop/admin", owners=("@acme/shop",)),
        Service(name="common", root="services/common"),
    ),
    libraries=(Library(name="common", root="libs/common", used_by=("shop",)), Library(name="idle", root="libs/idle")),
)
SITE, COMMON, SHOP, ADMIN = service_units(ESTATE)


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("manage.py", SITE),
        ("services/other/app.py", SITE),
        ("services/shop/app.py", SHOP),
        ("services/shop/admin/app.py", ADMIN),
        ("services/shop/administration/app.py", SHOP),
        ("services/common/app.py", COMMON),
    ],
)
def test_a_file_belongs_to_its_deepest_unit(path: str, unit: object) -> None:
    assert [each for each in (SITE, COMMON, SHOP, ADMIN) if each.holds(path)] == [unit]


def test_a_file_of_a_library_belongs_to_no_service() -> None:
    assert not any(each.holds("libs/common/memory.py") for each in (SITE, COMMON, SHOP, ADMIN))
    assert SHOP.library_of("libs/common/memory.py") == "libs/common"
    (library,) = library_units(ESTATE, {"libs/common": ["shop"]})
    assert library.holds("libs/common/memory.py")
    assert not library.holds("services/shop/app.py")
    assert library.folders == ("libs/common", "services/shop")
    assert library.name == "common (library)"  # a service has that name


def test_units_have_folders_and_branches_of_their_own() -> None:
    units = (*service_units(ESTATE), *library_units(ESTATE, {}))
    assert len({unit.slug for unit in units}) == len(units)
    assert SHOP.slug == "shop"
    assert ADMIN.slug.startswith("shop-admin-")
    assert not set(" ~^:?*[\\()") & set("".join(unit.slug for unit in units))


@pytest.mark.parametrize(
    ("only", "exclude", "owners", "names"),
    [
        ((), (), (), ["site", "common", "shop", "shop admin"]),
        (("shop*",), (), (), ["shop", "shop admin"]),
        (("services/shop",), (), (), ["shop"]),
        (("services/shop/",), (), (), ["shop"]),
        ((), ("services/*",), (), ["site"]),
        (("shop*",), ("*admin",), (), ["shop"]),
        ((), (), ("@acme/shop",), ["shop", "shop admin"]),
        ((), (), ("acme/shop",), ["shop", "shop admin"]),
        ((), (), ("@acme/*",), ["site", "shop", "shop admin"]),
        ((), (), ("ann@example.com",), ["shop"]),
        (("site",), (), ("@acme/shop",), []),
    ],
)
def test_what_is_chosen(
    only: tuple[str, ...], exclude: tuple[str, ...], owners: tuple[str, ...], names: list[str]
) -> None:
    assert [unit.name for unit in select(service_units(ESTATE), only, exclude, owners)] == names


def test_parts_are_disjoint_and_complete() -> None:
    units = service_units(ESTATE)
    parts = [shard(units, f"{number}/3") for number in (1, 2, 3)]
    assert sorted(unit.root for part in parts for unit in part) == sorted(unit.root for unit in units)
    assert shard(units, "") == units
