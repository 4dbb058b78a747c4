"""Packets are encrypted so that anybody with the key, and nobody else, can open them."""

import pytest
from Cryptodome.Cipher import AES, ChaCha20_Poly1305
from hypothesis import given
from hypothesis import strategies as st

from bot.node.transport_cipher import AES_GCM, XCHACHA, NoCommonMode, choose_mode, hchacha20, sealer

_HEADER = bytes(range(12))
_KEY = bytes(range(32))


def test_hchacha20_gives_the_subkey_of_the_draft() -> None:
    # draft-irtf-cfrg-xchacha-03, section 2.2.1
    subkey = hchacha20(_KEY, bytes.fromhex("000000090000004a0000000031415927"))
    assert subkey.hex() == "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"


@given(payload=st.binary(min_size=1, max_size=400), counter=st.integers(0, 2**32 - 1))
def test_aes_packet_opens_with_another_library(payload: bytes, counter: int) -> None:
    packet = sealer(AES_GCM, _KEY)(_HEADER, payload, counter)
    opener = AES.new(_KEY, AES.MODE_GCM, nonce=packet[-4:] + bytes(8))
    opener.update(_HEADER)
    assert packet[:12] == _HEADER
    assert opener.decrypt_and_verify(packet[12:-20], packet[-20:-4]) == payload


@given(payload=st.binary(min_size=1, max_size=400), counter=st.integers(0, 2**32 - 1))
def test_xchacha_packet_opens_with_another_library(payload: bytes, counter: int) -> None:
    packet = sealer(XCHACHA, _KEY)(_HEADER, payload, counter)
    opener = ChaCha20_Poly1305.new(key=_KEY, nonce=packet[-4:] + bytes(20))
    opener.update(_HEADER)
    assert packet[:12] == _HEADER
    assert opener.decrypt_and_verify(packet[12:-20], packet[-20:-4]) == payload


@pytest.mark.parametrize("mode", [AES_GCM, XCHACHA])
def test_counter_is_part_of_what_is_sent(mode: str) -> None:
    seal = sealer(mode, _KEY)
    assert seal(_HEADER, b"sound", 1)[-4:] != seal(_HEADER, b"sound", 2)[-4:]


def test_aes_is_chosen_where_it_is_offered() -> None:
    assert choose_mode([XCHACHA, AES_GCM]) == AES_GCM
    assert choose_mode(["xsalsa20_poly1305", XCHACHA]) == XCHACHA


def test_modes_of_the_past_are_refused() -> None:
    with pytest.raises(NoCommonMode, match="xsalsa20_poly1305"):
        choose_mode(["xsalsa20_poly1305"])
    with pytest.raises(NoCommonMode):
        sealer("xsalsa20_poly1305", _KEY)
